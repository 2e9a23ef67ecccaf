import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { createPrincipals } from '@tidemark/infra/access/principals.ts'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createKafka, ping } from '@tidemark/infra/kafka/client.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
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
import { createStripeProcessor } from '@tidemark/infra/stripe/processor.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import type { InvoicerConfig } from './config.ts'
import { createSubjectPublishing } from './finance/component.ts'
import { createTaxSource } from './invoicing/tax-source.ts'
import { information } from './openapi/information.ts'
import { operations } from './openapi/operations.ts'
import { createOutboxRelay } from './outbox/component.ts'
import { addCollectRoute } from './payments/collect-route.ts'
import { createCollecting, paymentTimes } from './payments/component.ts'
import { addCatalogueRoutes } from './routes/catalogue.ts'
import { addClosingRoutes } from './routes/closing.ts'
import { addInvoiceRoutes } from './routes/invoices.ts'
import { addPreviewRoute } from './routes/preview.ts'
import { addPricingRoutes } from './routes/pricing.ts'
import { addSubscriptionRoutes } from './routes/subscriptions.ts'
import { addTaxRoutes } from './routes/tax.ts'
import { addUnbilledRoute } from './routes/unbilled.ts'
import { createTaxes } from './tax/component.ts'
import { createUnbilledWatch } from './unbilled/watch.ts'
import { createWebhookProcessing } from './webhooks/component.ts'
import { addStripeWebhookRoute } from './webhooks/stripe-route.ts'

export type InvoicerOptions = { log: Log; clock: Clock; fatal: Fatal }

const bodyLimitBytes = 1_048_576

/** The parts of the invoicer, in the order in which they start. */
export async function buildInvoicer(
  config: InvoicerConfig,
  { log, clock, fatal }: InvoicerOptions,
): Promise<Component[]> {
  const database = databaseName(config.TIDEMARK_PREFIX)
  const metrics = createMetrics('invoicer')
  const clickHouse = createClickHouse({
    url: config.CLICKHOUSE_URL,
    user: config.CLICKHOUSE_USER,
    password: config.CLICKHOUSE_PASSWORD,
    database,
    applicationName: 'tidemark-invoicer',
    // A month of a large tenant, read from raw.
    timeoutMs: 300_000,
  })
  const pool = createPool({
    url: config.POSTGRES_URL,
    database,
    user: 'tidemark_invoicer',
    password: config.POSTGRES_ROLE_PASSWORD,
    max: 12 + config.INVOICER_COLLECTION_CONCURRENCY,
    applicationName: 'tidemark-invoicer',
    log,
  })
  const kafka = createKafka({ ...kafkaAccess(config), clientId: 'tidemark-invoicer', log })
  const producer = createProducer(kafka)
  const processor = createStripeProcessor({
    secretKey: config.STRIPE_SECRET_KEY,
    apiUrl: config.STRIPE_API_URL,
    webhookSecret: config.STRIPE_WEBHOOK_SECRET,
    timeoutMs: config.INVOICER_PAYMENT_TIMEOUT_MS,
  })
  const health = createHealth({
    checks: {
      clickhouse: () => clickHouse.ping(),
      kafka: () => ping(kafka),
      postgres: () => pool.query('SELECT 1'),
    },
  })
  const server = createHttpServer({ log, metrics, health, bodyLimitBytes })
  const principals = createPrincipals(createAuthenticator(pool, clock.now))
  const deps = { pool, clickHouse, clock, log }
  const taxes = createTaxes(config, { pool, clock, log, metrics })
  const tax = createTaxSource({ pool, clock, ask: taxes.calculate })
  const estimatedTax = createTaxSource({ pool, clock, ask: taxes.estimate })
  addCatalogueRoutes(server, { pool, clock, principals })
  addSubscriptionRoutes(server, deps, principals)
  addPreviewRoute(server, { ...deps, tax: estimatedTax }, principals)
  addInvoiceRoutes(server, deps, principals)
  addUnbilledRoute(server, deps, principals)
  addPricingRoutes(server, principals)
  addClosingRoutes(
    server,
    { ...deps, tax, estimatedTax },
    {
      graceMs: config.INVOICER_GRACE_SECONDS * 1000,
      gateWaitMs: config.INVOICER_GATE_WAIT_MS,
      batchSize: config.INVOICER_CLOSE_BATCH_SIZE,
    },
    principals,
  )
  addTaxRoutes(server, { pool, clock }, principals)
  const payments = { pool, processor, clock, log, metrics, fatal, ...paymentTimes(config) }
  const collecting = createCollecting(config, payments)
  addCollectRoute(server, { pool, clock, collector: collecting.collector }, principals)
  addStripeWebhookRoute(server, payments)
  addReference(server, information.title, await buildOpenApiDocument(information, operations))
  return [
    closing('clickhouse client', () => clickHouse.close()),
    closing('postgres pool', () => pool.end()),
    closing('kafka client', () => kafka.disconnect()),
    closing('kafka producer', () => producer.disconnect()),
    createOutboxRelay({ pool, producer, clock, log, metrics, fatal, prefix: config.TIDEMARK_PREFIX }),
    createSubjectPublishing({ pool, clickHouse, log, fatal }),
    createUnbilledWatch({
      ...deps,
      metrics,
      fatal,
      intervalMs: config.INVOICER_UNBILLED_WATCH_SECONDS * 1000,
    }),
    createWebhookProcessing(payments),
    collecting.component,
    {
      name: 'http server',
      async start() {
        const address = await server.listen({ host: config.INVOICER_HOST, port: config.INVOICER_PORT })
        log.info({ address }, 'listening')
      },
      stop: () => server.close(),
    },
  ]
}

/** Clients connect with their first use; they only need an end. */
const closing = (name: string, stop: () => Promise<void>): Component => ({ name, start: () => {}, stop })
