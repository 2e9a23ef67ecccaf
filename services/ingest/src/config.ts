import { topicSettings } from '@tidemark/infra/installation/topic-provision.ts'
import {
  clickHouseSettings,
  hostSetting,
  kafkaSettings,
  lifecycleSettings,
  logSettings,
  portSetting,
  postgresSettings,
  prefixSettings,
  redisSettings,
  registrySettings,
  usageLogSettings,
} from '@tidemark/infra/process/settings.ts'
import { type Static, Type } from 'typebox'
import type { BodyLimits } from './body/body-reader.ts'
import type { ByteBudgetOptions } from './body/byte-budget.ts'
import type { EventRules } from './events/event-rules.ts'

export const configSchema = Type.Object({
  ...prefixSettings,
  ...logSettings,
  ...lifecycleSettings,
  ...kafkaSettings,
  ...usageLogSettings,
  ...topicSettings,
  ...registrySettings,
  ...clickHouseSettings,
  ...postgresSettings,
  ...redisSettings,
  INGEST_HOST: hostSetting(),
  INGEST_PORT: portSetting(4100),
  INGEST_BODY_LIMIT_BYTES: Type.Integer({
    default: 5_242_880,
    minimum: 1_024,
    maximum: 67_108_864,
    description: 'Largest body of one request; it is held in memory, once for each request under way.',
  }),
  INGEST_BODY_TIMEOUT_MS: Type.Integer({
    default: 20_000,
    minimum: 100,
    maximum: 29_000,
    description: 'How long a body may take to arrive; slow ones would hold memory and sockets for ever.',
  }),
  INGEST_COMPRESSION_RATIO: Type.Integer({
    default: 100,
    minimum: 10,
    maximum: 1_000,
    description:
      'Most decompressed bytes for each byte sent, beyond 256 KiB: a few bytes must not cost many.',
  }),
  INGEST_BODIES_BYTES: Type.Integer({
    default: 67_108_864,
    minimum: 1_048_576,
    maximum: 4_294_967_296,
    description:
      'What the bodies of all requests under way may hold in memory; beyond it requests are answered with 503. One tenant gets half of it.',
  }),
  INGEST_BATCH_LIMIT_EVENTS: Type.Integer({
    default: 5_000,
    minimum: 1,
    maximum: 100_000,
    description: 'Most events of one request: all of them are decided before another request is looked at.',
  }),
  INGEST_TIME_AHEAD_SECONDS: Type.Integer({
    default: 300,
    minimum: 0,
    // Deduplication keeps an identity a day longer than its horizon: an event a day ahead would outlive it.
    maximum: 43_200,
    description: 'How far ahead of this clock the time of an event may lie.',
  }),
  INGEST_TIME_BACK_DAYS: Type.Integer({
    default: 400,
    minimum: 1,
    maximum: 4_000,
    description: 'How far back the time of an event may lie.',
  }),
  INGEST_SEND_TIMEOUT_MS: Type.Integer({
    default: 5_000,
    minimum: 100,
    maximum: 60_000,
    description: 'How long Kafka may take to acknowledge before the request is answered with 503.',
  }),
  INGEST_SENDS_IN_FLIGHT: Type.Integer({
    default: 4,
    minimum: 1,
    maximum: 64,
    description: 'Sends to Kafka at a time; while they are under way the next one collects.',
  }),
  INGEST_QUEUE_BYTES: Type.Integer({
    default: 67_108_864,
    minimum: 1_048_576,
    maximum: 4_294_967_296,
    description: 'What may wait for Kafka and be under way; beyond it requests are answered with 503.',
  }),
  INGEST_TENANT_POLL_MS: Type.Integer({
    default: 3_000,
    minimum: 100,
    maximum: 300_000,
    description: 'How soon the relay serves the inbound topic of a new tenant.',
  }),
  INGEST_LIMITS_POLL_MS: Type.Integer({
    default: 2_000,
    minimum: 100,
    maximum: 300_000,
    description: 'How soon a changed limit, or memory of acknowledged ids, of a tenant or key holds.',
  }),
  INGEST_MEMORY_SECONDS: Type.Integer({
    default: 86_400,
    minimum: 1,
    // Shorter than deduplication's horizon: what the log takes for a new event must never be answered as a duplicate.
    maximum: 2_592_000,
    description:
      'How long acknowledged ids of tenants that want it are remembered in Redis, about 200 bytes each.',
  }),
  INGEST_MEMORY_TIMEOUT_MS: Type.Integer({
    default: 5,
    minimum: 1,
    maximum: 1_000,
    description: 'How long a request may wait for what Redis remembers, before it is published without.',
  }),
  INGEST_SCHEMAS_POLL_MS: Type.Integer({
    default: 2_000,
    minimum: 100,
    maximum: 300_000,
    description: 'How soon the schema of a new version of a meter holds for events.',
  }),
  INGEST_WATERMARK_INTERVAL_MS: Type.Integer({
    default: 1_000,
    minimum: 100,
    maximum: 60_000,
    description: 'Time between two watermarks of the relay: what a close waits for longer.',
  }),
})

export type IngestConfig = Static<typeof configSchema>

export const rulesOf = (config: IngestConfig): EventRules => ({
  futureMs: config.INGEST_TIME_AHEAD_SECONDS * 1_000,
  pastMs: config.INGEST_TIME_BACK_DAYS * 86_400_000,
})

export const bodyLimitsOf = (config: IngestConfig): BodyLimits => ({
  bodyBytes: config.INGEST_BODY_LIMIT_BYTES,
  compressionRatio: config.INGEST_COMPRESSION_RATIO,
  timeoutMs: config.INGEST_BODY_TIMEOUT_MS,
})

/** Whatever the bound, one body of the largest size finds room: otherwise it would be told to come again for ever. */
export function bodyBudgetOf(config: IngestConfig): ByteBudgetOptions {
  const largest = 2 * config.INGEST_BODY_LIMIT_BYTES
  const totalBytes = Math.max(config.INGEST_BODIES_BYTES, largest)
  return { totalBytes, tenantBytes: Math.max(Math.ceil(totalBytes / 2), largest) }
}
