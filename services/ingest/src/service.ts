import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { createPrincipals } from '@tidemark/infra/access/principals.ts'
import { rejectedEventRecord, usageEventRecordOf } from '@tidemark/infra/installation/record-schemas.ts'
import { openUsageLog } from '@tidemark/infra/installation/usage-log.ts'
import { ping } from '@tidemark/infra/kafka/client.ts'
import { buildOpenApiDocument } from '@tidemark/infra/openapi/document.ts'
import { addReference } from '@tidemark/infra/openapi/reference.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import { usageRejectedTopic } from '@tidemark/schemas/topics.ts'
import type { FastifyInstance } from 'fastify'
import { createByteBudget } from './body/byte-budget.ts'
import { closing, createClients, createMemoryRedis, createPublisherTo } from './clients.ts'
import { bodyBudgetOf, bodyLimitsOf, type IngestConfig, rulesOf } from './config.ts'
import { createEventSchemasComponent } from './event-schemas/component.ts'
import { createEventEncoder } from './events/usage-record.ts'
import { createIngestMetrics } from './ingest-metrics.ts'
import { createKeyUse } from './key-use.ts'
import { createLimitsComponent } from './limits/component.ts'
import { checkUsageTopic, fetchSchemaId } from './log-check.ts'
import { createMemoryComponent } from './memory/component.ts'
import { information } from './openapi/information.ts'
import { operations } from './openapi/operations.ts'
import { createRelay } from './relay/relay.ts'
import { addEventsRoute, addValidationRoute } from './routes/events.ts'
import { addEventsIntake } from './routes/events-intake.ts'
import { addKeyRoutes } from './routes/keys.ts'
import { addLimitRoutes } from './routes/limits.ts'
import { addMemoryRoutes } from './routes/memory.ts'
import { addOpenMeterRoute } from './routes/openmeter-events.ts'
import { addReadingRoutes } from './routes/reading.ts'

export type IngestOptions = { log: Log; clock: Clock; fatal: Fatal }

/** For the routes that take no events. */
const smallBodyBytes = 16_384

/** The parts of ingest, in the order in which they start. Asks the registry for the ids of its schemas first. */
export async function buildIngest(config: IngestConfig, options: IngestOptions): Promise<Component[]> {
  const { log, clock } = options
  const prefix = config.TIDEMARK_PREFIX
  const rejectedSchemaId = await fetchSchemaId(config.SCHEMA_REGISTRY_URL, prefix, rejectedEventRecord)
  const clients = createClients(config, log)
  const { kafka, pool, clickHouse, redis } = clients
  const usageLog = await openUsageLog(pool, config.USAGE_LOG, 'write')
  const record = usageEventRecordOf(usageLog.log)
  const schemaId = await fetchSchemaId(config.SCHEMA_REGISTRY_URL, prefix, record)
  const encode = createEventEncoder(schemaId, usageLog.partitions)
  const publisher = createPublisherTo(record.topic, config, kafka)
  const relayPublisher = createPublisherTo(record.topic, config, kafka)
  const rejectedPublisher = createPublisherTo(usageRejectedTopic, config, kafka)
  const registry = createMetrics('ingest')
  const budget = createByteBudget(bodyBudgetOf(config))
  const metrics = createIngestMetrics(registry, publisher.queuedBytes, budget.heldBytes)
  const rules = rulesOf(config)
  const keyUse = createKeyUse(pool, clock, log)
  const pollMs = config.INGEST_LIMITS_POLL_MS
  const rateLimits = createLimitsComponent({ pool, redis, clock, log, metrics: registry, pollMs })
  const memory = createMemoryComponent({
    pool,
    kafka,
    redis: createMemoryRedis(config, log),
    writingRedis: createMemoryRedis(config, log),
    log,
    metrics: registry,
    prefix,
    usageLog,
    ttlSeconds: config.INGEST_MEMORY_SECONDS,
    timeoutMs: config.INGEST_MEMORY_TIMEOUT_MS,
    pollMs,
  })
  const eventSchemas = createEventSchemasComponent({ pool, log, pollMs: config.INGEST_SCHEMAS_POLL_MS })
  const relay = createRelay({
    ...options,
    ...clients,
    prefix,
    rules,
    dataChecks: eventSchemas.checks,
    encode,
    metrics,
    rejectedSchemaId,
    publish: relayPublisher.publish,
    publishRejected: rejectedPublisher.publish,
    tenantPollMs: config.INGEST_TENANT_POLL_MS,
    watermarkIntervalMs: config.INGEST_WATERMARK_INTERVAL_MS,
  })
  let isStopping = false
  const health = createHealth({
    checks: { kafka: () => ping(kafka), postgres: () => pool.query('SELECT 1') },
    progress: () => (isStopping ? 'The process is stopping' : publisher.fault()),
    // One tenant's topic must not close the door to all others.
    reported: { relay: relay.fault },
  })
  const server = createHttpServer({ log, metrics: registry, health, bodyLimitBytes: smallBodyBytes })
  const authenticator = createAuthenticator(pool, clock.now)
  const intake = {
    authenticator,
    clock,
    metrics,
    rules,
    limits: { ...bodyLimitsOf(config), batchEvents: config.INGEST_BATCH_LIMIT_EVENTS },
    budget,
    rateLimits: rateLimits.limits,
    encode,
    dataChecks: eventSchemas.checks,
    memory: memory.memory,
    publish: publisher.publish,
    onKeyUsed: keyUse.note,
  }
  addEventsIntake(server, intake, (scope) => {
    addEventsRoute(scope, intake)
    addValidationRoute(scope, intake)
    addOpenMeterRoute(scope, intake)
  })
  const principals = createPrincipals(authenticator)
  addKeyRoutes(server, { pool, clock }, principals)
  addLimitRoutes(server, pool, principals)
  addMemoryRoutes(server, pool, principals)
  addReadingRoutes(server, {
    principals,
    clickHouse,
    usageLog,
    clock,
    futureMs: rules.futureMs,
    onKeyUsed: keyUse.note,
  })
  addReference(server, information.title, await buildOpenApiDocument(information, operations))
  return [
    closing('kafka client', () => kafka.disconnect()),
    closing('clickhouse client', () => clickHouse.close()),
    closing('postgres pool', () => pool.end()),
    { name: 'usage topic', start: () => checkUsageTopic(kafka, prefix, usageLog), stop: () => {} },
    keyUse,
    rateLimits.component,
    eventSchemas.component,
    memory.component,
    closing('rejected publisher', rejectedPublisher.close),
    closing('relay publisher', relayPublisher.close),
    ...relay.components,
    closing('publisher', publisher.close),
    listening(server, config, log),
    closing('readiness', async () => {
      isStopping = true
    }),
  ]
}

const listening = (server: FastifyInstance, config: IngestConfig, log: Log): Component => ({
  name: 'http server',
  async start() {
    const address = await server.listen({ host: config.INGEST_HOST, port: config.INGEST_PORT })
    log.info({ address }, 'listening')
  },
  // Requests under way are answered, after Kafka's acknowledgement, before this resolves.
  stop: () => server.close(),
})
