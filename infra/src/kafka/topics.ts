import { setTimeout as delay } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import { kafkaErrorType } from './kafka-failure.ts'

export type TopicProvision = {
  name: string
  partitions: number
  replicationFactor: number
  config: Record<string, string>
}

export type OffsetRange = { earliest: bigint; end: bigint }

/**
 * What every topic of Tidemark needs, whatever else it sets: the broker's append times, and no acknowledged record lost
 * with one broker. On a single broker (replication factor 1) there is nothing to hold a second copy, and this says so.
 */
export function durableTopicConfig(settings: {
  replicationFactor: number
  retentionMs: number
}): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    // kafkajs reads gzip only and stops at anything else: the broker unpacks what others send, so that no product's
    // choice of snappy, lz4 or zstd can hold up a consumer.
    'compression.type': 'uncompressed',
    'message.timestamp.type': 'LogAppendTime',
    'min.insync.replicas': String(Math.max(1, Math.min(2, settings.replicationFactor - 1))),
    'retention.ms': String(settings.retentionMs),
    'unclean.leader.election.enable': 'false',
  }
}

/** Settings that change what a record means; a topic that has them otherwise is not ours. */
const bindingConfig = ['cleanup.policy', 'message.timestamp.type']

const mismatch = (name: string, what: string, has: unknown, wants: unknown): Failure =>
  new Failure(
    `topic ${name} exists with ${what} ${has}, expected ${wants}. Tidemark never changes that in place: use another ` +
      'prefix or log number, or, if the topic holds nothing of worth, delete it',
    { code: 'topic_mismatch', retryable: false },
  )

/**
 * Makes the topics that are missing and holds those that exist against what is wanted. Safe to run by two processes at
 * once. Rejects with `topic_mismatch` where an existing topic has another partition count or a binding setting differs;
 * other settings that differ are an operator's choice and only told.
 */
export async function provisionTopics(kafka: KafkaClient, specs: readonly TopicProvision[]): Promise<void> {
  if (specs.length === 0) return
  await kafka.withAdmin('creating topics', (admin) =>
    admin.createTopics({
      // The metadata is waited for below: kafkajs' own wait gives up when one of the topics existed already.
      waitForLeaders: false,
      topics: specs.map((spec) => ({
        topic: spec.name,
        numPartitions: spec.partitions,
        replicationFactor: spec.replicationFactor,
        configEntries: Object.entries(spec.config).map(([name, value]) => ({ name, value })),
      })),
    }),
  )
  for (const spec of specs) {
    const partitions = await awaitPartitions(kafka, spec.name)
    if (partitions !== spec.partitions) {
      throw mismatch(spec.name, 'a partition count of', partitions, spec.partitions)
    }
  }
  await assertConfig(kafka, specs)
}

/** A topic that was just made is unknown to some brokers, or without leaders, for a moment. */
async function awaitPartitions(kafka: KafkaClient, topic: string, timeoutMs = 15_000): Promise<number> {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    try {
      const { topics } = await kafka.withAdmin(`reading the metadata of ${topic}`, (admin) =>
        admin.fetchTopicMetadata({ topics: [topic] }),
      )
      const partitions = topics[0]?.partitions ?? []
      if (partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)) return partitions.length
    } catch (error) {
      if (performance.now() > deadlineMs || !(error instanceof Failure && error.retryable)) throw error
    }
    if (performance.now() > deadlineMs) {
      throw new Failure(`topic ${topic} has no leaders`, { code: 'kafka_unavailable', retryable: true })
    }
    await delay(50)
  }
}

async function assertConfig(kafka: KafkaClient, specs: readonly TopicProvision[]): Promise<void> {
  const { resources } = await kafka.withAdmin('reading topic settings', (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: specs.map(({ name, config }) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: Object.keys(config),
      })),
    }),
  )
  for (const { name, config } of specs) {
    const entries = resources.find((resource) => resource.resourceName === name)?.configEntries ?? []
    for (const { configName, configValue } of entries) {
      const wanted = config[configName]
      if (wanted === undefined || wanted === configValue) continue
      if (bindingConfig.includes(configName)) throw mismatch(name, configName, configValue, wanted)
      kafka.log.warn({ topic: name, setting: configName, has: configValue, wanted }, 'topic setting differs')
    }
  }
}

/** First offset and end (the offset that the next record gets) of every partition. */
export async function fetchOffsetRanges(
  kafka: KafkaClient,
  topic: string,
): Promise<Map<number, OffsetRange>> {
  const offsets = await kafka.withAdmin(`asking for the offsets of ${topic}`, (admin) =>
    admin.fetchTopicOffsets(topic),
  )
  return new Map(
    offsets.map(({ partition, low, high }) => [partition, { earliest: BigInt(low), end: BigInt(high) }]),
  )
}

export async function fetchOffsetRange(
  kafka: KafkaClient,
  topic: string,
  partition: number,
): Promise<OffsetRange> {
  const range = (await fetchOffsetRanges(kafka, topic)).get(partition)
  if (range !== undefined) return range
  throw new Failure(`${topic} has no partition ${partition}`, { code: 'topic_unknown', retryable: true })
}

/** Everything acknowledged before the call lies below these offsets. */
export async function fetchEndOffsets(kafka: KafkaClient, topic: string): Promise<Map<number, bigint>> {
  return new Map([...(await fetchOffsetRanges(kafka, topic))].map(([partition, { end }]) => [partition, end]))
}

export async function fetchEarliestOffsets(kafka: KafkaClient, topic: string): Promise<Map<number, bigint>> {
  return new Map(
    [...(await fetchOffsetRanges(kafka, topic))].map(([partition, { earliest }]) => [partition, earliest]),
  )
}

export const listTopics = (kafka: KafkaClient): Promise<string[]> =>
  kafka.withAdmin('listing topics', (admin) => admin.listTopics())

export async function topicExists(kafka: KafkaClient, topic: string): Promise<boolean> {
  return (await listTopics(kafka)).includes(topic)
}

/** Topics that do not exist are passed over. Resolves when they are gone: a broker learns of it a little later. */
export async function deleteTopics(
  kafka: KafkaClient,
  topics: readonly string[],
  timeoutMs = 15_000,
): Promise<void> {
  const doomedAmong = async (): Promise<string[]> => {
    const existing = await listTopics(kafka)
    return existing.filter((topic) => topics.includes(topic))
  }
  const doomed = await doomedAmong()
  if (doomed.length === 0) return
  await kafka.withAdmin('deleting topics', async (admin) => {
    try {
      await admin.deleteTopics({ topics: doomed })
    } catch (error) {
      if (kafkaErrorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
    }
  })
  const deadlineMs = performance.now() + timeoutMs
  while ((await doomedAmong()).length > 0) {
    if (performance.now() > deadlineMs) {
      const text = `topics ${doomed.join(', ')} are still there after their deletion`
      throw new Failure(text, { code: 'kafka_unavailable', retryable: true })
    }
    await delay(20)
  }
}

/** Removes the records below `offset` for good, as retention does; for drills, and to end a tenant's data early. */
export async function deleteRecordsBefore(
  kafka: KafkaClient,
  topic: string,
  partition: number,
  offset: bigint,
): Promise<void> {
  await kafka.withAdmin(`removing records of ${topic}`, async (admin) => {
    // kafkajs looks the leader up in metadata that only another question about the topic loads.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: offset.toString() }] })
  })
}
