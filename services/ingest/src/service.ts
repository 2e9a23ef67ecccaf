import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { rejectedEventRecord, usageEventRecord } from '@tidemark/infra/installation/record-schemas.ts'
import { createKafka, ping } from '@tidemark/infra/kafka/client.ts'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import { usageEventsTopic, usageRejectedTopic } from '@tidemark/schemas/topics.ts'
import type { IngestConfig } from './config.ts'
import type { EventRules } from './events/event-rules.ts'
import { createEventEncoder } from './events/usage-record.ts'
import { createIngestMetrics } from './ingest-metrics.ts'
import { createKeyUse } from './key-use.ts'
import { checkUsageTopic, fetchSchemaId } from './log-check.ts'
import { createPublisher } from './publisher.ts'
import { createRelay } from './relay/relay.ts'
import { addEventsRoute } from './routes/events.ts'

export type IngestOptions = { log: Log; clock: Clock; fatal: Fatal }

const dayMs = 86_400_000

/** The parts of ingest, in the order in which they start. Asks the registry for the ids of its schemas first. */
export async function buildIngest(config: IngestConfig, options: IngestOptions): Promise<Component[]> {
  const { log, clock, fatal } = options
  const prefix = config.TIDEMARK_PREFIX
  const database = databaseName(prefix)
  const metrics = createMetrics('ingest')
  const usageSchemaId = await fetchSchemaId(config.SCHEMA_REGISTRY_URL, prefix, usageEventRecord)
  const rejectedSchemaId = await fetchSchemaId(config.SCHEMA_REGISTRY_URL, prefix, rejectedEventRecord)
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS.split(','), clientId: 'ingest', log })
  const pool = createPool({
    url: config.POSTGRES_URL,
    database,
    user: 'tidemark_ingest',
    password: config.POSTGRES_ROLE_PASSWORD,
    max: 5,
    applicationName: 'tidemark-ingest',
    log,
  })
  const clickHouse = createClickHouse({
    url: config.CLICKHOUSE_URL,
    user: config.CLICKHOUSE_USER,
    password: config.CLICKHOUSE_PASSWORD,
    database,
    applicationName: 'tidemark-ingest',
  })
  const publisherTo = (topic: string) =>
    createPublisher(kafka, {
      topic: prefix + topic,
      sendTimeoutMs: config.INGEST_SEND_TIMEOUT_MS,
      sendsInFlight: config.INGEST_SENDS_IN_FLIGHT,
      queueBytes: config.INGEST_QUEUE_BYTES,
    })
  const publisher = publisherTo(usageEventsTopic)
  const relayPublisher = publisherTo(usageEventsTopic)
  const rejectedPublisher = publisherTo(usageRejectedTopic)
  const ingestMetrics = createIngestMetrics(metrics, publisher.queuedBytes)
  const rules: EventRules = {
    futureMs: config.INGEST_TIME_AHEAD_SECONDS * 1000,
    pastMs: config.INGEST_TIME_BACK_DAYS * dayMs,
  }
  const encode = createEventEncoder(usageSchemaId)
  const keyUse = createKeyUse(pool, clock, log)
  const relay = createRelay({
    kafka,
    pool,
    clickHouse,
    clock,
    log,
    prefix,
    rules,
    encode,
    fatal,
    metrics: ingestMetrics,
    rejectedSchemaId,
    publish: relayPublisher.publish,
    publishRejected: rejectedPublisher.publish,
    tenantPollMs: config.INGEST_TENANT_POLL_MS,
    watermarkIntervalMs: config.INGEST_WATERMARK_INTERVAL_MS,
  })
  let isStopping = false
  const health = createHealth({
    checks: { kafka: () => ping(kafka), postgres: () => pool.query('SELECT 1') },
    progress: () => (isStopping ? 'The process is stopping' : (publisher.fault() ?? relay.fault())),
  })
  const server = createHttpServer({ log, metrics, health, bodyLimitBytes: 16_384 })
  addEventsRoute(server, {
    authenticator: createAuthenticator(pool, clock.now),
    clock,
    metrics: ingestMetrics,
    rules,
    limits: { bodyBytes: config.INGEST_BODY_LIMIT_BYTES, batchEvents: config.INGEST_BATCH_LIMIT_EVENTS },
    encode,
    publish: publisher.publish,
    onKeyUsed: keyUse.note,
  })
  return [
    closing('kafka client', () => kafka.disconnect()),
    closing('clickhouse client', () => clickHouse.close()),
    closing('postgres pool', () => pool.end()),
    { name: 'usage topic', start: () => checkUsageTopic(kafka, prefix), stop: () => {} },
    keyUse,
    closing('rejected publisher', rejectedPublisher.close),
    closing('relay publisher', relayPublisher.close),
    ...relay.components,
    closing('publisher', publisher.close),
    {
      name: 'http server',
      async start() {
        const address = await server.listen({ host: config.INGEST_HOST, port: config.INGEST_PORT })
        log.info({ address }, 'listening')
      },
      async stop() {
        isStopping = true
        // Requests under way are answered, after Kafka's acknowledgement, before this resolves.
        await server.close()
      },
    },
  ]
}

/** Connects with its first use; only needs an end. */
const closing = (name: string, stop: () => Promise<void>): Component => ({ name, start: () => {}, stop })
