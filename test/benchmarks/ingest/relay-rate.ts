import { setTimeout as pause } from 'node:timers/promises'
import { createKafka, type KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createBatcher } from '@tidemark/infra/kafka/group-commit.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { inboundTopic, inboundTopicSpec, usageEventsTopic } from '@tidemark/schemas/topics.ts'
import { finish, step, thousands } from '../../demonstration/print.ts'
import { type Installation, installOn } from '../../installation.ts'
import { benchEvent, benchTenant, cloudEventText } from '../bench-event.ts'
import type { BenchStack } from '../bench-stack.ts'
import { figureOf, type Measured } from '../figure.ts'
import { checkLog } from '../log-check.ts'

const rounds = 3
const backlogRecords = 300_000
const batchRecords = 2_000
const relayWithinMs = 120_000
const pollMs = 20
const run = 'inbound'

/** Events per second that the relay copies from a tenant's inbound topic to usage.events, validated on the way. */
export async function measureRelay(bench: BenchStack): Promise<Measured> {
  const samples: number[] = []
  const lost: string[] = []
  for (let round = 1; round <= rounds; round += 1) {
    const installation = await installOn(bench.stack.environment, `relay${round}`)
    await installation.createTenant(benchTenant)
    const { env, prefix } = installation
    const log = createLog({ service: 'bench', level: 'warn', pretty: true })
    const kafka = createKafka({ brokers: (env.KAFKA_BROKERS ?? '').split(','), clientId: 'bench', log })
    await step(`Inbound backlog ${round}/${rounds}: ${thousands(backlogRecords)} records`, () =>
      sendInbound(kafka, prefix),
    )
    samples.push(await relayAll(bench, installation, kafka))
    await kafka.disconnect()
    const { missing } = await checkLog(env, new Map([[run, backlogRecords]]))
    if (missing > 0) lost.push(`relay: ${missing} inbound events are not in the log`)
    await installation.remove()
    finish('✔', `relay ${round}/${rounds}: ${thousands(Math.round(samples.at(-1) ?? 0))} events/s`)
  }
  return { figures: [figureOf('relay', 'events/s', samples)], lost }
}

/** Structured mode, spread over the topic's partitions. */
async function sendInbound(kafka: KafkaClient, prefix: string): Promise<void> {
  const { partitions } = inboundTopicSpec(benchTenant)
  const producer = createProducer(kafka, { sendTimeoutMs: 15_000 })
  const { publish, close } = createBatcher({
    send: (messages) => producer.send(prefix + inboundTopic(benchTenant), messages),
    maxQueuedBytes: 2 ** 30,
  })
  const headers = { 'content-type': 'application/cloudevents+json' }
  for (let from = 0; from < backlogRecords; from += batchRecords)
    await publish(
      Array.from({ length: batchRecords }, (_, at) => ({
        key: null,
        partition: at % partitions,
        value: Buffer.from(cloudEventText(benchEvent(run, from + at))),
        headers,
      })),
    )
  await close()
  await producer.disconnect()
}

/** From the first look that finds events on usage.events to the one that finds all of them. */
async function relayAll(
  bench: BenchStack,
  { env, prefix }: Installation,
  kafka: KafkaClient,
): Promise<number> {
  const ingest = await bench.spawn('ingest', env, prefix.slice(0, -1))
  const deadline = performance.now() + relayWithinMs
  let first: { atMs: number; relayed: number } | undefined
  for (;;) {
    const ends = await fetchEndOffsets(kafka, prefix + usageEventsTopic)
    const relayed = [...ends.values()].reduce((sum, end) => sum + Number(end), 0)
    const atMs = performance.now()
    if (relayed > 0) first ??= { atMs, relayed }
    if (first !== undefined && relayed >= backlogRecords) {
      await ingest.stop()
      return ((relayed - first.relayed) * 1000) / (atMs - first.atMs)
    }
    if (atMs > deadline) throw new Error(`the backlog was not relayed in time: see ${ingest.logFile}`)
    await pause(pollMs)
  }
}
