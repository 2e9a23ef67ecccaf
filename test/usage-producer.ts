import { registerRecordSchema, usageEventRecordOf } from '@tidemark/infra/installation/record-schemas.ts'
import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { createBatcher } from '@tidemark/infra/kafka/group-commit.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createSchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { frame } from '@tidemark/infra/schema-registry/framing.ts'
import { identityKey, partitionOf, payloadHash } from '@tidemark/schemas/event-identity.ts'
import { firstLog, type UsageLog, usageEventsTopicOf } from '@tidemark/schemas/topics.ts'
import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'

export type UsageProducer = {
  readonly topic: string
  /** As ingest would send them: Avro in the partition of their identity. */
  send(events: readonly UsageEvent[]): Promise<void>
  /** Anything, anywhere. */
  sendRaw(messages: readonly OutboundMessage[]): Promise<void>
  encode(event: UsageEvent): OutboundMessage
  close(): Promise<void>
}

/** Stands in for ingest where a test cares only for what comes after it. */
export async function openUsageProducer(
  env: Readonly<Record<string, string>>,
  prefix: string,
  usageLog: UsageLog = firstLog,
): Promise<UsageProducer> {
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  const brokers = (env.KAFKA_BROKERS ?? '').split(',')
  const kafka = createKafka({ brokers, clientId: 'usage-producer', log })
  const topic = `${prefix}${usageEventsTopicOf(usageLog.log)}`
  const registry = createSchemaRegistry({ url: env.SCHEMA_REGISTRY_URL ?? '' })
  const schemaId = await registerRecordSchema(registry, prefix, usageEventRecordOf(usageLog.log))
  const producer = createProducer(kafka, { sendTimeoutMs: 15_000 })
  const batcher = createBatcher({
    send: (messages) => producer.send(topic, messages),
    maxQueuedBytes: 2 ** 30,
  })

  const encode = (event: UsageEvent): OutboundMessage => {
    const key = identityKey(event.tenantNumber, event.source, event.id)
    const value = frame(schemaId, usageEventType.toBuffer(event))
    return { partition: partitionOf(key, usageLog.partitions), key, value }
  }
  return {
    topic,
    encode,
    send: (events) => batcher.publish(events.map(encode)),
    sendRaw: (messages) => batcher.publish(messages),
    async close() {
      await batcher.close()
      await producer.disconnect()
      await kafka.disconnect()
    },
  }
}

/** One instant for a whole run: the same event made twice has the same payload. */
const now = Math.floor(Date.now() / 1000) * 1_000_000

/** An event that ingest would have accepted now; what a test cares for is given. */
export function usageEvent(given: Partial<UsageEvent> & { id: string }): UsageEvent {
  const event = {
    tenant: 'acme',
    tenantNumber: 1,
    source: 'test',
    type: 'request',
    subject: 'customer-1',
    time: now,
    acceptedAt: now,
    data: '{"quantity":1}',
    action: 'none' as const,
    revision: 0,
    ...given,
  }
  const { type, subject, time: timeMicros, data } = event
  return { payloadHash: payloadHash({ type, subject, timeMicros, data }), ...event }
}
