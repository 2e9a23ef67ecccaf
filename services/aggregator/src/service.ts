import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { openUsageLog } from '@tidemark/infra/installation/usage-log.ts'
import { createKafka, ping } from '@tidemark/infra/kafka/client.ts'
import { kafkaAccess } from '@tidemark/infra/kafka/security.ts'
import { buildOpenApiDocument } from '@tidemark/infra/openapi/document.ts'
import { addReference } from '@tidemark/infra/openapi/reference.ts'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import { createSchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import type { AggregatorConfig } from './config.ts'
import { buildConsuming } from './consuming.ts'
import type { StepObserver } from './loop.ts'
import { buildMetering } from './metering/component.ts'
import { information } from './openapi/information.ts'
import { operations } from './openapi/operations.ts'

export type AggregatorOptions = {
  log: Log
  clock: Clock
  fatal: Fatal
  /** Told after each step of a batch; for tests that end the process there. */
  onStep?: StepObserver
}

const bodyLimitBytes = 1_048_576

/** The parts of the aggregator, in the order in which they start. */
export async function buildAggregator(
  config: AggregatorConfig,
  options: AggregatorOptions,
): Promise<Component[]> {
  const { log, clock, fatal } = options
  const database = databaseName(config.TIDEMARK_PREFIX)
  const metrics = createMetrics('aggregator')
  const kafka = createKafka({ ...kafkaAccess(config), clientId: 'aggregator', log })
  const registry = createSchemaRegistry({ url: config.SCHEMA_REGISTRY_URL })
  const clickHouse = createClickHouse({
    url: config.CLICKHOUSE_URL,
    user: config.CLICKHOUSE_USER,
    password: config.CLICKHOUSE_PASSWORD,
    database,
    applicationName: 'tidemark-aggregator',
    // Three inserts per partition at a time, and queries beside them.
    maxConnections: 40,
  })
  const pool = createPool({
    url: config.POSTGRES_URL,
    database,
    user: 'tidemark_aggregator',
    password: config.POSTGRES_ROLE_PASSWORD,
    // The sealer and the checker keep one each for their leases.
    max: 7,
    applicationName: 'tidemark-aggregator',
    log,
  })
  const onStep = options.onStep ?? (() => {})
  const usageLog = await openUsageLog(pool, config.USAGE_LOG, 'read')
  const consuming = buildConsuming(config, {
    usageLog,
    kafka,
    registry,
    clickHouse,
    log,
    clock,
    metrics,
    fatal,
    onStep,
  })
  const health = createHealth({
    checks: {
      kafka: () => ping(kafka),
      registry: () => registry.ping(),
      clickhouse: () => clickHouse.ping(),
      postgres: () => pool.query('SELECT 1'),
    },
    progress: consuming.waitsFor,
  })
  const server = createHttpServer({ log, metrics, health, bodyLimitBytes })
  const authenticator = createAuthenticator(pool, clock.now)
  const metering = buildMetering(config, {
    usageLog,
    server,
    clickHouse,
    pool,
    authenticator,
    log,
    clock,
    metrics,
  })
  addReference(server, information.title, await buildOpenApiDocument(information, operations))
  return [
    closing('kafka client', () => kafka.disconnect()),
    closing('clickhouse client', () => clickHouse.close()),
    closing('postgres pool', () => pool.end()),
    ...consuming.components,
    ...metering,
    {
      name: 'http server',
      async start() {
        const address = await server.listen({ host: config.AGGREGATOR_HOST, port: config.AGGREGATOR_PORT })
        log.info({ address }, 'listening')
      },
      stop: () => server.close(),
    },
  ]
}

/** Clients connect with their first use; they only need an end. */
const closing = (name: string, stop: () => Promise<void>): Component => ({ name, start: () => {}, stop })
