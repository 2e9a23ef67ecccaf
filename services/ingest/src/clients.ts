import { type ClickHouse, createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createKafka, type KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { kafkaAccess } from '@tidemark/infra/kafka/security.ts'
import { createPool, type Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { createRedis, type RedisClient } from '@tidemark/infra/redis/client.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import type { IngestConfig } from './config.ts'
import { createPublisher, type Publisher } from './publisher.ts'

export type Clients = { kafka: KafkaClient; pool: Pool; clickHouse: ClickHouse; redis: RedisClient }

/** A request waits for Redis this long at most, then does without. */
const redisTimeoutMs = 200

/** The memory of acknowledged ids gives a silent connection up after this long, and does without until there is another. */
const memorySilenceMs = 1_000

/** Nothing connects before its first use. */
export function createClients(config: IngestConfig, log: Log): Clients {
  const database = databaseName(config.TIDEMARK_PREFIX)
  return {
    kafka: createKafka({ ...kafkaAccess(config), clientId: 'ingest', log }),
    pool: createPool({
      url: config.POSTGRES_URL,
      database,
      user: 'tidemark_ingest',
      password: config.POSTGRES_ROLE_PASSWORD,
      max: 5,
      applicationName: 'tidemark-ingest',
      log,
    }),
    clickHouse: createClickHouse({
      url: config.CLICKHOUSE_URL,
      user: config.CLICKHOUSE_USER,
      password: config.CLICKHOUSE_PASSWORD,
      database,
      applicationName: 'tidemark-ingest',
    }),
    redis: createRedis({
      url: config.REDIS_URL,
      prefix: config.TIDEMARK_PREFIX,
      applicationName: 'tidemark-ingest',
      log,
      commandTimeoutMs: redisTimeoutMs,
    }),
  }
}

/** Apart from the limits' connection: what one request asks of many ids must not delay another's limit. */
export const createMemoryRedis = (config: IngestConfig, log: Log): RedisClient =>
  createRedis({
    url: config.REDIS_URL,
    prefix: config.TIDEMARK_PREFIX,
    applicationName: 'tidemark-memory',
    log,
    commandTimeoutMs: memorySilenceMs,
    connectTimeoutMs: memorySilenceMs,
    silenceMs: memorySilenceMs,
  })

export const createPublisherTo = (topic: string, config: IngestConfig, kafka: KafkaClient): Publisher =>
  createPublisher(kafka, {
    topic: config.TIDEMARK_PREFIX + topic,
    sendTimeoutMs: config.INGEST_SEND_TIMEOUT_MS,
    sendsInFlight: config.INGEST_SENDS_IN_FLIGHT,
    queueBytes: config.INGEST_QUEUE_BYTES,
  })

/** What only needs an end. */
export const closing = (name: string, stop: () => Promise<void>): Component => ({
  name,
  start: () => {},
  stop,
})
