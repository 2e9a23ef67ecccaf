import { randomUUID } from 'node:crypto'
import { createKafka, type KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createPartitionConsumer, type PartitionConsumerOptions } from '@tidemark/infra/kafka/consumer.ts'
import { createProducer, type Producer } from '@tidemark/infra/kafka/producer.ts'
import {
  deleteTopics,
  durableTopicConfig,
  provisionTopics,
  type TopicProvision,
} from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'

const topicConfig = durableTopicConfig({ replicationFactor: 1, retentionMs: 86_400_000 })

export const topicSpec = (name: string, partitions = 1): TopicProvision => ({
  name,
  partitions,
  replicationFactor: 1,
  config: topicConfig,
})

export const range = (from: number, to: number): bigint[] =>
  Array.from({ length: to - from }, (_, at) => BigInt(from + at))

/** How long a test waits for what a broker does in its own time. */
export const soon = { timeout: 20_000, interval: 20 }

export type KafkaRoom = {
  kafka: KafkaClient
  producer: Producer
  freshTopic(partitions?: number): Promise<string>
  /** Sends values v<from>, v<from + 1>, … */
  fill(topic: string, count: number, partition?: number, from?: number): Promise<void>
  close(): Promise<void>
}

/** A client, a producer and topics of this test file's own, removed at the end. */
export async function openKafkaRoom(brokers: string): Promise<KafkaRoom> {
  const log = createLog({ service: 'test', level: process.env.TEST_LOG_LEVEL ?? 'silent', pretty: false })
  const kafka = createKafka({ brokers: brokers.split(','), clientId: 'kafka-test', log })
  const producer = createProducer(kafka)
  const made: string[] = []
  await producer.connect()
  return {
    kafka,
    producer,
    async freshTopic(partitions = 1) {
      const name = `kafka-test-${randomUUID()}`
      made.push(name)
      await provisionTopics(kafka, [topicSpec(name, partitions)])
      return name
    },
    fill: (topic, count, partition = 0, from = 0) =>
      producer.send(
        topic,
        Array.from({ length: count }, (_, at) => {
          const name = `${from + at}`
          return { partition, key: name, value: Buffer.from(`v${name}`) }
        }),
      ),
    async close() {
      await deleteTopics(kafka, made)
      await producer.disconnect()
      await kafka.disconnect()
    },
  }
}

/** A consumer with a ledger in memory: it notes each offset and goes on after the last. */
export function createLedgerConsumer(
  kafka: KafkaClient,
  topic: string,
  options: Partial<PartitionConsumerOptions> = {},
) {
  const seen = new Map<number, bigint[]>()
  const fatal: unknown[] = []
  const events: string[] = []
  const consumer = createPartitionConsumer(kafka, {
    topic,
    groupId: `${topic}-group`,
    maxWaitTimeMs: 50,
    heartbeatIntervalMs: 200,
    openPartition: async (partition) => {
      events.push(`open ${partition}`)
      return { nextOffset: (seen.get(partition)?.at(-1) ?? -1n) + 1n }
    },
    handleBatch: async (partition, records) => {
      seen.set(partition, [...(seen.get(partition) ?? []), ...records.map(({ offset }) => offset)])
    },
    closePartition: async (partition) => {
      events.push(`close ${partition}`)
    },
    onFatal: (error) => fatal.push(error),
    ...options,
  })
  return { consumer, fatal, events, offsets: (partition = 0): bigint[] => seen.get(partition) ?? [] }
}
