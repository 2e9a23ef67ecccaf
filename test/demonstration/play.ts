import {
  awaitFindings,
  awaitPayments,
  closeMonth,
  type DemoInvoice,
  type Keys,
  listInvoices,
  totalsByCurrency,
  totalsOfInvoices,
  verifyCertificates,
} from './billing-steps.ts'
import type { DemoTenant } from './company.ts'
import { type Expectation, expect } from './expectation.ts'
import { applyCatalogue, createCards, createTenants, registerWebhook } from './foundation-steps.ts'
import type { Environment } from './installation.ts'
import { sendLegacy } from './kafka-products.ts'
import { planLegacy } from './legacy.ts'
import { heading, step, thousands } from './print.ts'
import { countAttempts, openStores, type Stores } from './stores.ts'
import type { Outcome } from './summary.ts'
import { planTraffic } from './traffic.ts'
import { countEvents, sendUsage, type UsageRun } from './usage-steps.ts'

const sizes = { httpEvents: 200_000, kafkaEvents: 20_000, lateEvents: 2_000 }
const seed = 20_260_101

export type Played = {
  outcome: Outcome
  expected: Outcome
  keys: Keys
  invoices: DemoInvoice[]
  ingestMs: number
  closeMs: number
}

/** Plays the company's month: its foundation, usage, the close, payments, the old system's invoices, the proof. */
export async function play(env: Environment, tenants: readonly DemoTenant[], now: number): Promise<Played> {
  const stores = openStores(env)
  try {
    const keys = await found(env, tenants)
    const traffic = planTraffic(tenants, sizes, now, seed)
    const expectation = expect(tenants, traffic)

    heading('Usage')
    const run: UsageRun = { env, stores, tenants: tenants.map(({ id }) => id), keys }
    const sent = await sendUsage(run, traffic)

    heading('Billing')
    const startedAt = performance.now()
    await closeMonth(tenants, keys)
    const closeMs = performance.now() - startedAt
    const legacy = planLegacy(expectation.invoices, Date.now() * 1000)
    await step('The old billing system tells what it computed', () => sendLegacy(env, legacy.records))
    await awaitPayments(stores, expectation.invoices.length)

    heading('Proof')
    const findings = await step('Old compared with new', () =>
      awaitFindings(keys, expectation.invoices.length),
    )
    const invoices = await listInvoices(keys)
    const certificates = await step('Every invoice recomputed from its certificate and the raw events', () =>
      verifyCertificates(invoices, keys),
    )
    const outcome: Outcome = {
      events: await countEvents(run, sent),
      invoices: { count: invoices.length, totalMicros: totalsOfInvoices(invoices) },
      payments: await paymentsOf(stores),
      findings,
      certificates,
    }
    const expected = expectedOutcome(expectation, legacy.expected)
    return { outcome, expected, keys, invoices, ingestMs: sent.ingestMs, closeMs }
  } finally {
    await stores.close()
  }
}

async function found(env: Environment, tenants: readonly DemoTenant[]): Promise<Keys> {
  heading('Company')
  const keys = await step('Tenants and API keys', () => createTenants(env, tenants))
  const customers = tenants.reduce((count, tenant) => count + tenant.customers.length, 0)
  await registerWebhook(env)
  const ids = await step(`${thousands(customers)} customers with cards at the processor`, () =>
    createCards(env, tenants),
  )
  await step('Catalogue: meters, plans, customers, subscriptions', async () => {
    for (const tenant of tenants) await applyCatalogue(tenant, keys.get(tenant.id) ?? '', ids)
  })
  return keys
}

async function paymentsOf(stores: Stores): Promise<Outcome['payments']> {
  const attempts = await countAttempts(stores)
  return {
    succeeded: attempts.get('succeeded') ?? 0,
    requiresAction: attempts.get('requires_action') ?? 0,
    failed: attempts.get('failed') ?? 0,
  }
}

function expectedOutcome({ events, invoices }: Expectation, findings: Outcome['findings']): Outcome {
  const paidBy = (card: string) => invoices.filter(({ customer }) => customer.card === card).length
  const amounts = invoices.map(({ customer, totalMicros }) => [customer.currency, totalMicros] as const)
  return {
    events,
    invoices: { count: invoices.length, totalMicros: totalsByCurrency(amounts) },
    payments: {
      succeeded: paidBy('pays'),
      requiresAction: paidBy('needs_authentication'),
      failed: paidBy('declines'),
    },
    findings,
    certificates: { checked: invoices.length, failed: 0 },
  }
}
