import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import type { LegacyRecord } from '@tidemark/schemas/reconciliation.ts'
import { inboundTopic, inboundTopicSpec, legacyTopic, topics } from '@tidemark/schemas/topics.ts'
import type { Environment } from './installation.ts'
import type { PlannedEvent } from './traffic.ts'

const recordsPerSend = 500

/** Products that speak Kafka: CloudEvents in structured mode on their tenant's inbound topic. */
export async function sendOverKafka(env: Environment, planned: readonly PlannedEvent[]): Promise<void> {
  await withProducer(env, async (send) => {
    for (const tenant of new Set(planned.map((each) => each.tenant))) {
      const { partitions } = inboundTopicSpec(tenant)
      const values = planned
        .filter((each) => each.tenant === tenant)
        .map(({ event }) => JSON.stringify(event))
      await send(inboundTopic(tenant), partitions, values, { 'content-type': 'application/cloudevents+json' })
    }
  })
}

/** The bridge of the old billing system. */
export async function sendLegacy(env: Environment, records: readonly LegacyRecord[]): Promise<void> {
  const partitions = topics.find(({ name }) => name === legacyTopic)?.partitions ?? 1
  await withProducer(env, (send) =>
    send(
      legacyTopic,
      partitions,
      records.map((record) => JSON.stringify(record)),
      {},
    ),
  )
}

type Send = (
  topic: string,
  partitions: number,
  values: string[],
  headers: Record<string, string>,
) => Promise<void>

async function withProducer(env: Environment, use: (send: Send) => Promise<void>): Promise<void> {
  const log = createLog({ service: 'products', level: 'warn', pretty: true })
  const kafka = createKafka({ brokers: (env.KAFKA_BROKERS ?? '').split(','), clientId: 'demonstration', log })
  const producer = createProducer(kafka)
  await producer.connect()
  try {
    await use(async (topic, partitions, values, headers) => {
      for (let at = 0; at < values.length; at += recordsPerSend) {
        const messages = values.slice(at, at + recordsPerSend).map((value, index) => ({
          key: null,
          partition: index % partitions,
          value: Buffer.from(value),
          headers,
        }))
        await producer.send((env.TIDEMARK_PREFIX ?? '') + topic, messages)
      }
    })
  } finally {
    await producer.disconnect()
    await kafka.disconnect()
  }
}
