import type { Producer } from '@platformatic/kafka'
import type { KafkaClient } from './client.ts'
import { withDeadline } from './deadline.ts'
import { asKafkaFailure } from './kafka-failure.ts'

/** What tells one log from another of the same name: both ids are random, made with the cluster and with the topic. */
export type TopicIdentity = { readonly clusterId: string; readonly topicId: string }

export type TopicIdentityReader = {
  /** Asks a broker each time. Rejects with `topic_unknown` or `kafka_unavailable`, in bounded time. */
  read(): Promise<TopicIdentity>
  close(): Promise<void>
}

const timeoutMs = 3_000

/** kafkajs speaks a version of the protocol without topic ids; the producer's library is asked instead. */
export function createTopicIdentityReader(kafka: KafkaClient, topic: string): TopicIdentityReader {
  let client: Producer | undefined

  const ask = async (): Promise<TopicIdentity> => {
    client ??= kafka.openProducer(timeoutMs)
    // What it knows already would do otherwise, the cluster's id for ever.
    client.clearMetadata()
    const { id: clusterId, topics } = await client.metadata({ topics: [topic] })
    return { clusterId, topicId: kafkaText(topics.get(topic)?.id ?? '') }
  }

  async function close(): Promise<void> {
    const closing = client
    client = undefined
    await closing?.close().catch(() => {})
  }

  return {
    async read() {
      try {
        return await withDeadline(ask(), timeoutMs, () => new Error(`no answer within ${timeoutMs} ms`))
      } catch (error) {
        void close()
        throw asKafkaFailure(error, `asking which topic ${topic} is`)
      }
    },
    close,
  }
}

/** A UUID as Kafka's own tools write it. */
const kafkaText = (uuid: string): string => Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url')
