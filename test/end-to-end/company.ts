import { join } from 'node:path'
import { freePorts } from '@tidemark/infra/stack/ports.ts'
import { createStripeProcessor } from '@tidemark/infra/stripe/processor.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import { monthlyPeriodAt } from '@tidemark/schemas/billing-period.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { type ServiceName, type ServiceProcess, startService } from '../service-processes.ts'

/** One tenant with a plan, a paying customer and all four services, each a process of its own. */
export type Company = {
  installation: Installation
  tenant: TestTenant
  env: Record<string, string>
  services: Record<ServiceName, ServiceProcess>
  /** The month before this one, in UTC: the subscription began with it. */
  closed: BillingPeriod
  subject: string
  call(service: ServiceName, path: string, options?: CallOptions): Promise<{ status: number; body: Body }>
  stop(): Promise<void>
}

type CallOptions = { body?: unknown; contentType?: string; key?: string }

/** Answers of many shapes; each assertion says what it expects. Lists have items. */
type Body = Record<string, unknown> & { items: { id: string }[] }

const names: ServiceName[] = ['ingest', 'aggregator', 'invoicer', 'reconciler']

export async function foundTestCompany(name: string, card = 'pm_card_visa'): Promise<Company> {
  const installation = await createInstallation(name)
  const tenant = await installation.createTenant('acme')
  const folder = join(import.meta.dirname, '..', '..', '.local', 'test-services', installation.prefix)
  const env = {
    ...installation.env,
    STRIPE_SECRET_KEY: `sk_test_${installation.prefix.replaceAll('-', '_')}acme`,
    AGGREGATOR_STATE_DIRECTORY: join(folder, 'state'),
    AGGREGATOR_SEALING_QUIET_MS: '200',
    RECONCILER_PAIR_WAIT_MS: '2000',
  }
  // Ports that nobody listens on, whatever they were meant for.
  const ports = await freePorts()
  const portOf = {
    ingest: ports.kafka,
    aggregator: ports.registry,
    invoicer: ports.postgres,
    reconciler: ports.redis,
  }
  const started = await Promise.all(
    names.map((service) =>
      startService({ name: service, port: portOf[service], env, logDirectory: join(folder, 'logs') }),
    ),
  )
  const serviceOf = (service: ServiceName): ServiceProcess => {
    const found = started.find((each) => each.name === service)
    if (!found) throw new Error(`${service} was not started`)
    return found
  }
  const services = {
    ingest: serviceOf('ingest'),
    aggregator: serviceOf('aggregator'),
    invoicer: serviceOf('invoicer'),
    reconciler: serviceOf('reconciler'),
  }
  const call: Company['call'] = async (service, path, { body, contentType, key = tenant.key } = {}) => {
    const response = await fetch(`${services[service].url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer: Body = JSON.parse(await response.text())
    return { status: response.status, body: answer }
  }
  const closed = monthlyPeriodAt(monthlyPeriodAt(Date.now() * 1000, 1, 'UTC').start - 1, 1, 'UTC')
  const subject = 'workspace-1'
  const company = { installation, tenant, env, services, closed, subject, call, stop }
  await addCatalogue(company, card)
  return company

  async function stop(): Promise<void> {
    await Promise.all(started.map((service) => service.stop()))
    await installation.remove()
  }
}

async function addCatalogue({ call, closed, subject, env, services }: Company, card: string): Promise<void> {
  await fetch(`${env.STRIPE_API_URL}/_simulator/webhook_endpoints`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${env.STRIPE_SECRET_KEY}` },
    body: JSON.stringify({
      url: `${services.invoicer.url}/v1/webhooks/stripe`,
      secret: env.STRIPE_WEBHOOK_SECRET,
    }),
  })
  const processor = createStripeProcessor({
    secretKey: env.STRIPE_SECRET_KEY ?? '',
    apiUrl: env.STRIPE_API_URL ?? '',
    webhookSecret: env.STRIPE_WEBHOOK_SECRET ?? '',
    timeoutMs: 10_000,
  })
  const { processorCustomerId } = await processor.createCustomer({
    customerId: 'customer-1',
    name: 'Customer One',
  })
  const { paymentMethodId } = await processor.attachPaymentMethod({
    processorCustomerId,
    paymentMethodId: card,
  })
  const meter = { key: 'requests', eventType: 'request', aggregation: 'count' }
  await expectStatus(201, call('aggregator', '/v1/meters', { body: meter }))
  const start = formatInstant(closed.start)
  const catalogue = {
    plans: [
      {
        id: 'pro',
        name: 'Pro',
        currency: 'USD',
        prices: [
          { id: 'base', model: 'flat', amount: '10.00' },
          { id: 'requests', model: 'per-unit', meter: 'requests', unitPrice: '1.25' },
        ],
      },
    ],
    customers: [
      {
        key: 'customer-1',
        name: 'Customer One',
        email: 'billing@customer.example',
        currency: 'USD',
        timeZone: 'UTC',
        processorCustomerId,
        paymentMethodId,
        subjects: [{ key: subject, from: start }],
      },
    ],
    subscriptions: [{ key: 'subscription-1', customer: 'customer-1', plan: 'pro', start, anchorDay: 1 }],
  }
  await expectStatus(200, call('invoicer', '/v1/catalogue', { body: catalogue }))
}

async function expectStatus(status: number, answer: Promise<{ status: number; body: Body }>): Promise<void> {
  const { status: found, body } = await answer
  if (found !== status) throw new Error(`expected ${status}, got ${found}: ${JSON.stringify(body)}`)
}
