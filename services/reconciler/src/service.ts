import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { createPrincipals } from '@tidemark/infra/access/principals.ts'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createKafka, ping } from '@tidemark/infra/kafka/client.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import { kafkaAccess } from '@tidemark/infra/kafka/security.ts'
import { createConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { repeat } from '@tidemark/infra/process/repetition.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import { billingEventsTopic, findingsTopic, legacyTopic, topics } from '@tidemark/schemas/topics.ts'
import type { ReconcilerConfig } from './config.ts'
import { createReconcilerMetrics } from './metrics.ts'
import { createPairing } from './pairing.ts'
import { publishFindings } from './publisher.ts'
import { addReconciliationRoutes } from './routes/reconciliation.ts'
import { readBillingEvent, readLegacy } from './side.ts'

export type ReconcilerDeps = { log: Log; clock: Clock; fatal: Fatal }

/** How often overdue cases and unpublished findings are looked for. */
const roundMs = 500

/** The service's parts in the order in which they start. */
export function buildReconciler(
  config: ReconcilerConfig,
  { log, clock, fatal }: ReconcilerDeps,
): Component[] {
  const prefix = config.TIDEMARK_PREFIX
  const metrics = createMetrics('reconciler')
  const kafka = createKafka({ ...kafkaAccess(config), clientId: 'tidemark-reconciler', log })
  const producer = createProducer(kafka)
  const pool = createPool({
    url: config.POSTGRES_URL,
    database: databaseName(prefix),
    user: 'tidemark_reconciler',
    password: config.POSTGRES_ROLE_PASSWORD,
    max: 8,
    applicationName: 'tidemark-reconciler',
    log,
  })
  const clickHouse = createClickHouse({
    url: config.CLICKHOUSE_URL,
    user: config.CLICKHOUSE_USER,
    password: config.CLICKHOUSE_PASSWORD,
    database: databaseName(prefix),
    applicationName: 'tidemark-reconciler',
  })
  const pairing = createPairing({
    pool,
    clock,
    log,
    metrics: createReconcilerMetrics(metrics),
    pairWaitMs: config.RECONCILER_PAIR_WAIT_MS,
    tolerance: { roundingMinorUnits: config.RECONCILER_ROUNDING_MINOR_UNITS },
    thresholds: {
      warning: config.RECONCILER_WARNING_MAJOR_UNITS,
      critical: config.RECONCILER_CRITICAL_MAJOR_UNITS,
    },
  })
  const legacy = prefix + legacyTopic
  const consumer = createConsumer(kafka, {
    groupId: `${prefix}reconciler`,
    topics: [legacy, prefix + billingEventsTopic],
    handleBatch: (topic, partition, records) =>
      pairing.handle(topic, partition, records, topic === legacy ? readLegacy : readBillingEvent),
    onFatal: fatal,
  })
  const partitions = topics.find(({ name }) => name === findingsTopic)?.partitions ?? 1
  const publisher = { pool, producer, clickHouse, topic: prefix + findingsTopic, partitions }
  const server = createHttpServer({
    log,
    metrics,
    health: createHealth({
      checks: {
        kafka: () => ping(kafka),
        postgres: () => pool.query('SELECT 1'),
        clickhouse: () => clickHouse.ping(),
      },
    }),
    // Only reads: a body has nothing to say here.
    bodyLimitBytes: 1024,
  })
  addReconciliationRoutes(server, {
    pool,
    principals: createPrincipals(createAuthenticator(pool, clock.now)),
  })

  return [
    { name: 'PostgreSQL', start: () => pool.query('SELECT 1').then(() => {}), stop: () => pool.end() },
    { name: 'ClickHouse', start: () => clickHouse.ping(), stop: () => clickHouse.close() },
    { name: 'Kafka', start: () => ping(kafka).then(() => {}), stop: () => kafka.disconnect() },
    { name: 'producer', start: () => producer.connect(), stop: () => producer.disconnect() },
    repeat({
      name: 'publishing findings',
      intervalMs: roundMs,
      log,
      run: () => publishFindings(publisher),
      onFatal: fatal,
    }),
    repeat({
      name: 'judging overdue cases',
      intervalMs: roundMs,
      log,
      run: () => pairing.sweep(),
      onFatal: fatal,
    }),
    { name: 'consumer', start: () => consumer.start(), stop: () => consumer.stop() },
    {
      name: 'HTTP',
      async start() {
        await server.listen({ host: config.RECONCILER_HOST, port: config.RECONCILER_PORT })
      },
      stop: () => server.close(),
    },
  ]
}
