import type { Cluster } from 'kafkajs'
import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import { withDeadline } from './deadline.ts'
import { asKafkaFailure, kafkaErrorType } from './kafka-failure.ts'
import { type KafkaRecord, toRecord } from './record.ts'

type FetchedTopic = { partitions: { messages: Parameters<typeof toRecord>[0][] }[] }

/**
 * kafkajs offers no fetch outside a consumer group, but hands its cluster to whoever assigns partitions. This consumer
 * never joins its group, so no group is made, no offset is touched and no rebalance is waited for.
 */
export function openCluster(kafka: KafkaClient): Cluster {
  const found: Cluster[] = []
  kafka.open().consumer({
    groupId: 'never-joined',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found.push(cluster)
        const protocol = () => ({ name: 'none', metadata: Buffer.alloc(0) })
        return { name: 'none', version: 0, assign: async () => [], protocol }
      },
    ],
  })
  const cluster = found[0]
  if (cluster === undefined)
    throw new Failure('kafkajs gave no cluster', { code: 'unexpected', retryable: false })
  return cluster
}

/** Records from `offset` on, and perhaps some before it: a broker hands out whole batches, however small maxBytes is. */
export async function fetchFrom(
  cluster: Cluster,
  {
    topic,
    partition,
    offset,
    maxBytes,
  }: { topic: string; partition: number; offset: bigint; maxBytes: number },
) {
  await cluster.addTargetTopic(topic)
  const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]))
  if (leader === undefined) {
    throw new Failure(`${topic} has no partition ${partition}`, { code: 'topic_unknown', retryable: true })
  }
  const broker = await cluster.findBroker({ nodeId: leader })
  const fetched: { responses: FetchedTopic[] } = await broker.fetch({
    maxWaitTime: 100,
    minBytes: 1,
    maxBytes,
    topics: [{ topic, partitions: [{ partition, fetchOffset: offset.toString(), maxBytes }] }],
  })
  return fetched.responses.flatMap(({ partitions }) => partitions.flatMap((part) => part.messages))
}

async function fetchRecord(cluster: Cluster, topic: string, partition: number, offset: bigint) {
  await cluster.connect()
  const messages = await fetchFrom(cluster, { topic, partition, offset, maxBytes: 1_024 })
  return messages.find((message) => BigInt(message.offset) === offset)
}

/**
 * Reads the one record at `offset`; null where the log does not hold it (removed by retention, or not yet written).
 * Takes some 20 ms: a connection and one fetch. Rejects with `kafka_unavailable` after `timeoutMs`.
 */
export async function readRecordAt(
  kafka: KafkaClient,
  topic: string,
  partition: number,
  offset: bigint,
  timeoutMs = 10_000,
): Promise<KafkaRecord | null> {
  const doing = `reading ${topic}/${partition} at ${offset}`
  const cluster = openCluster(kafka)
  try {
    const reading = fetchRecord(cluster, topic, partition, offset)
    const message = await withDeadline(
      reading,
      timeoutMs,
      () => new Error(`no answer within ${timeoutMs} ms`),
    )
    return message === undefined ? null : toRecord(message, offset)
  } catch (error) {
    const type = kafkaErrorType(error)
    if (type === 'OFFSET_OUT_OF_RANGE') return null
    throw asKafkaFailure(error, doing)
  } finally {
    cluster.disconnect().catch(() => {})
  }
}
