import { setTimeout as delay } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'

/** The least batch of records has more bytes than this: brokers refuse every one, from whatever producer. */
const closing = { name: 'max.message.bytes', value: '1' }
/** What an entry of a topic's settings says when it was set on the topic itself. */
const setOnTopic = 1
const propagationMs = 15_000

/**
 * Closes a topic for writing, on the brokers: producers are refused with MESSAGE_TOO_LARGE, readers notice nothing. Safe to
 * repeat. To open it again, remove the topic's own max.message.bytes.
 */
export async function closeTopic(kafka: KafkaClient, topic: string): Promise<void> {
  const own = (await readSettings(kafka, topic)).filter(({ isOwn, name }) => isOwn && name !== closing.name)
  await kafka.withAdmin(`closing ${topic}`, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          // All that is not named here would fall back to its default.
          configEntries: [...own.map(({ name, value }) => ({ name, value })), closing],
        },
      ],
    }),
  )
  const deadlineMs = performance.now() + propagationMs
  while (!(await isClosed(kafka, topic))) {
    if (performance.now() > deadlineMs)
      throw new Failure(`${topic} is still open for writing after it was closed`, {
        code: 'kafka_unavailable',
        retryable: true,
      })
    await delay(50)
  }
}

async function isClosed(kafka: KafkaClient, topic: string): Promise<boolean> {
  const settings = await readSettings(kafka, topic)
  return settings.some(({ name, value }) => name === closing.name && value === closing.value)
}

async function readSettings(kafka: KafkaClient, topic: string) {
  const { resources } = await kafka.withAdmin(`reading the settings of ${topic}`, (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    }),
  )
  const entries = resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? []
  return entries.map(({ configName, configValue, configSource }) => ({
    name: configName,
    value: configValue,
    isOwn: Number(configSource) === setOnTopic,
  }))
}

/** How many brokers hold each partition; a topic that follows another one gets as many. */
export async function fetchReplicationFactor(kafka: KafkaClient, topic: string): Promise<number> {
  const { topics } = await kafka.withAdmin(`reading the metadata of ${topic}`, (admin) =>
    admin.fetchTopicMetadata({ topics: [topic] }),
  )
  return topics[0]?.partitions[0]?.replicas.length ?? 1
}
