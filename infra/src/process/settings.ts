import { prefixPattern } from '@tidemark/schemas/prefix.ts'
import { Type } from 'typebox'
import { kafkaSecuritySettings } from '../kafka/security-settings.ts'

/**
 * Fragments that services spread into their `configSchema`. The defaults are the addresses of the local stack, so
 * that nothing needs to be set on a laptop; in production each is set.
 */

const secret = { secret: true }

export const prefixSettings = {
  TIDEMARK_PREFIX: Type.String({
    default: '',
    pattern: prefixPattern,
    examples: ['t1-'],
    description:
      'Precedes topics, groups, databases and Redis keys, so that installations never meet; ends in a hyphen, or empty.',
  }),
}

export const logSettings = {
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    description: 'The least level that is logged; error means that a person must act.',
  }),
  LOG_PRETTY: Type.Boolean({
    default: false,
    description: 'Lines for a person at a terminal instead of JSON.',
  }),
}

export const lifecycleSettings = {
  SHUTDOWN_TIMEOUT_MS: Type.Integer({
    default: 15_000,
    minimum: 100,
    maximum: 600_000,
    description:
      'How long a stop may take altogether; below the grace that the platform gives before it kills.',
  }),
}

/** Each service names its own pair, like INGEST_HOST and INGEST_PORT. */
export function hostSetting() {
  return Type.String({
    default: '127.0.0.1',
    minLength: 1,
    description: 'Address to listen on; 0.0.0.0 opens the service to the network.',
  })
}

export function portSetting(defaultPort: number) {
  return Type.Integer({
    default: defaultPort,
    minimum: 0,
    maximum: 65_535,
    description: 'Port to listen on; 0 takes a free one.',
  })
}

export const kafkaSettings = {
  KAFKA_BROKERS: Type.String({
    default: '127.0.0.1:24092',
    pattern: '^[^:,\\s]+:\\d+(,[^:,\\s]+:\\d+)*$',
    examples: ['kafka-1:9092,kafka-2:9092'],
    description: 'Brokers to begin with, as host:port, separated by commas.',
  }),
  ...kafkaSecuritySettings,
}

export const usageLogSettings = {
  USAGE_LOG: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 65_535,
    description:
      'The Kafka log that usage is written to and read from; the same for ingest and aggregator, changed by a cut-over only.',
  }),
}

export const registrySettings = {
  SCHEMA_REGISTRY_URL: Type.String({
    default: 'http://127.0.0.1:24081/apis/ccompat/v7',
    format: 'url',
    description: 'Schema registry with the Confluent API.',
  }),
}

export const clickHouseSettings = {
  CLICKHOUSE_URL: Type.String({
    default: 'http://127.0.0.1:24123',
    format: 'url',
    description: 'ClickHouse over HTTP.',
  }),
  CLICKHOUSE_USER: Type.String({
    default: 'tidemark',
    minLength: 1,
    description: 'ClickHouse user of the services.',
  }),
  CLICKHOUSE_PASSWORD: Type.String({ default: 'tidemark', description: 'Its password.', ...secret }),
}

export const postgresSettings = {
  POSTGRES_URL: Type.String({
    default: 'postgres://postgres:postgres@127.0.0.1:24432/postgres',
    format: 'url',
    description: 'PostgreSQL as administrator: migrations use it whole, services only its host and port.',
  }),
  POSTGRES_ROLE_PASSWORD: Type.String({
    default: 'tidemark',
    minLength: 1,
    description: 'Password of the roles tidemark_<service>, which migrations create.',
    ...secret,
  }),
}

export const redisSettings = {
  REDIS_URL: Type.String({ default: 'redis://127.0.0.1:24379', format: 'url', description: 'Redis.' }),
}

export const stripeSettings = {
  STRIPE_API_URL: Type.String({
    default: 'http://127.0.0.1:4242',
    description:
      'A server that speaks the API of Stripe, by default the simulator; empty means Stripe itself.',
  }),
  STRIPE_SECRET_KEY: Type.String({
    default: 'sk_test_tidemark_local',
    minLength: 1,
    description: 'Secret API key.',
    ...secret,
  }),
  STRIPE_WEBHOOK_SECRET: Type.String({
    default: 'whsec_tidemark_local',
    minLength: 1,
    description: 'Secret that webhooks are signed with.',
    ...secret,
  }),
}
