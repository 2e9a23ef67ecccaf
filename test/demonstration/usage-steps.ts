import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { inboundTopic, usagePartitions, usageRejectedTopic } from '@tidemark/schemas/topics.ts'
import { until } from './api.ts'
import { type HttpProgress, sendOverHttp } from './http-products.ts'
import { type Environment, urlOf } from './installation.ts'
import { sendOverKafka } from './kafka-products.ts'
import { finish, seconds, status, step, thousands } from './print.ts'
import { countRaw, countVerdicts, isComplete, type Stores, sealing } from './stores.ts'
import type { Outcome } from './summary.ts'
import type { Traffic } from './traffic.ts'

const clients = 4
const batchEvents = 500

export type SentUsage = { overHttp: HttpProgress; late: HttpProgress; ingestMs: number }

export type UsageRun = {
  env: Environment
  stores: Stores
  tenants: readonly string[]
  keys: ReadonlyMap<string, string>
}

/** Sends all traffic and waits until all of it is decided; the late part goes out after its hours were sealed. */
export async function sendUsage(run: UsageRun, traffic: Traffic): Promise<SentUsage> {
  const options = { url: urlOf('ingest'), keys: run.keys, clients, batchEvents }
  const startedAt = performance.now()
  const overKafka = sendOverKafka(run.env, traffic.kafka)
  const overHttp = await sendOverHttp(traffic.http, {
    ...options,
    onProgress: ({ sent }) => status(`${thousands(sent)} events over HTTP (${rate(sent, startedAt)})`),
  })
  finish(
    '✔',
    `${thousands(overHttp.sent)} events over HTTP by ${clients} clients, acknowledged by Kafka (${rate(overHttp.sent, startedAt)})`,
  )
  await step(`${thousands(traffic.kafka.length)} events over Kafka`, () => overKafka)
  const lag = overHttp.accepted + traffic.kafka.length - sum(await countVerdicts(run.stores))
  await step(
    `All of it relayed, decided and in ClickHouse; lag was ${thousands(Math.max(0, lag))} events`,
    () => complete(run, Date.now()),
  )
  const ingestMs = performance.now() - startedAt
  finish('✔', `First event sent to last event in ClickHouse: ${seconds(ingestMs)}`)
  await awaitSeals(run.stores)
  const late = await sendOverHttp(traffic.late, { ...options, onProgress: () => {} })
  await step(`${thousands(late.sent)} late events for hours sealed already`, () => complete(run, Date.now()))
  return { overHttp, late, ingestMs }
}

const rate = (events: number, startedAt: number): string =>
  `${thousands(Math.round(events / ((performance.now() - startedAt) / 1000)))} events/s`

const complete = ({ stores, tenants }: UsageRun, beforeMs: number): Promise<true> =>
  until('everything acknowledged is in ClickHouse', async () =>
    (await isComplete(stores, beforeMs, tenants, usagePartitions)) ? true : undefined,
  )

async function awaitSeals(stores: Stores): Promise<void> {
  const consumed = sum(await countVerdicts(stores))
  const seals = await step('Closed hours sealed', () =>
    until('a sealing pass over all events', async () => {
      const done = await sealing(stores)
      status(`Closed hours sealed: ${thousands(done.seals)} so far`)
      return done.position >= consumed && done.waiting === 0 ? done.seals : undefined
    }),
  )
  finish('✔', `${thousands(seals)} hours of meters sealed`)
}

/** What the stores and the log say: nothing here comes from what the services counted. */
export async function countEvents(
  { env, stores, tenants }: UsageRun,
  sent: SentUsage,
): Promise<Outcome['events']> {
  const [verdicts, raw, topics] = await Promise.all([
    countVerdicts(stores),
    countRaw(stores),
    countRecords(env, tenants),
  ])
  return {
    sent: sent.overHttp.sent + sent.late.sent + topics.inbound,
    accepted: verdicts.get('accepted') ?? 0,
    duplicate: verdicts.get('duplicate') ?? 0,
    rejected: sent.overHttp.rejected + sent.late.rejected + topics.rejected,
    ledger: sum(verdicts),
    raw,
  }
}

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, each) => total + each, 0)

async function countRecords(
  env: Environment,
  tenants: readonly string[],
): Promise<{ inbound: number; rejected: number }> {
  const log = createLog({ service: 'demonstration', level: 'warn', pretty: true })
  const kafka = createKafka({ brokers: (env.KAFKA_BROKERS ?? '').split(','), clientId: 'demonstration', log })
  const count = async (topic: string) => {
    const ends = await fetchEndOffsets(kafka, `${env.TIDEMARK_PREFIX ?? ''}${topic}`)
    return Number([...ends.values()].reduce((total, end) => total + end, 0n))
  }
  try {
    const inbound = await Promise.all(tenants.map((tenant) => count(inboundTopic(tenant))))
    return {
      inbound: inbound.reduce((total, each) => total + each, 0),
      rejected: await count(usageRejectedTopic),
    }
  } finally {
    await kafka.disconnect()
  }
}
