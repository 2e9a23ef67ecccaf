import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createStripeProcessor } from '@tidemark/infra/stripe/processor.ts'
import { createApiKey } from '@tidemark/ingest/api-keys.ts'
import { createTenant } from '@tidemark/ingest/tenants.ts'
import { scopes } from '@tidemark/schemas/api-key.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import { call, mapWith } from './api.ts'
import { type Card, catalogueOf, type DemoTenant } from './company.ts'
import { type Environment, urlOf } from './installation.ts'

/** Makes tenants and, for each, a key with every scope; answers the keys by tenant. */
export async function createTenants(
  env: Environment,
  tenants: readonly { id: string; name: string }[],
): Promise<Map<string, string>> {
  const prefix = env.TIDEMARK_PREFIX ?? ''
  const pool = createPool({
    url: env.POSTGRES_URL ?? '',
    database: databaseName(prefix),
    user: 'tidemark_ingest',
    password: env.POSTGRES_ROLE_PASSWORD ?? '',
    max: 1,
    applicationName: 'demonstration',
  })
  const log = createLog({ service: 'demonstration', level: 'warn', pretty: true })
  const kafka = createKafka({ brokers: (env.KAFKA_BROKERS ?? '').split(','), clientId: 'demonstration', log })
  const keys = new Map<string, string>()
  try {
    for (const { id, name } of tenants) {
      await createTenant({ pool, kafka, prefix, replicationFactor: 1 }, id, name)
      const { key } = await createApiKey(pool, { tenant: id, name: 'local', scopes, mode: 'test' })
      keys.set(id, key)
    }
    return keys
  } finally {
    await Promise.all([pool.end(), kafka.disconnect()])
  }
}

const cards: Record<Card, string> = {
  pays: 'pm_card_visa',
  declines: 'pm_card_visa_chargeDeclined',
  needs_authentication: 'pm_card_authenticationRequired',
}

type ProcessorIds = Map<string, { customerId: string; paymentMethodId: string }>

/** Customers and cards at the processor, and where it sends its webhooks. */
export async function createCards(env: Environment, tenants: readonly DemoTenant[]): Promise<ProcessorIds> {
  const processor = createStripeProcessor({
    secretKey: env.STRIPE_SECRET_KEY ?? '',
    apiUrl: env.STRIPE_API_URL ?? '',
    webhookSecret: env.STRIPE_WEBHOOK_SECRET ?? '',
    timeoutMs: 10_000,
  })
  const ids: ProcessorIds = new Map()
  await mapWith(
    8,
    tenants.flatMap(({ customers }) => customers),
    async ({ key, name, card }) => {
      const { processorCustomerId } = await processor.createCustomer({
        customerId: `${env.TIDEMARK_PREFIX}${key}`,
        name,
      })
      const method = await processor.attachPaymentMethod({
        processorCustomerId,
        paymentMethodId: cards[card],
      })
      ids.set(key, { customerId: processorCustomerId, paymentMethodId: method.paymentMethodId })
    },
  )
  return ids
}

export async function registerWebhook(env: Environment): Promise<void> {
  const response = await fetch(`${env.STRIPE_API_URL}/_simulator/webhook_endpoints`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${env.STRIPE_SECRET_KEY}` },
    body: JSON.stringify({
      url: `${urlOf('invoicer')}/v1/webhooks/stripe`,
      secret: env.STRIPE_WEBHOOK_SECRET,
    }),
  })
  if (!response.ok)
    throw new Error(`The Stripe simulator refused the webhook endpoint: ${await response.text()}`)
}

/** Meters go to the aggregator, everything else to the invoicer, as the catalogue command does it. */
export async function applyCatalogue(tenant: DemoTenant, key: string, ids: ProcessorIds): Promise<void> {
  const { meters, ...rest } = catalogueOf(tenant, ids)
  for (const meter of meters)
    await call({ url: `${urlOf('aggregator')}/v1/meters`, key, method: 'POST', body: meter })
  await call({ url: `${urlOf('invoicer')}/v1/catalogue`, key, method: 'POST', body: rest })
}
