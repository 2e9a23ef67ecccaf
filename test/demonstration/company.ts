import { type BillingPeriod, monthlyPeriodAt } from '@tidemark/schemas/billing-period.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import type { Currency } from '@tidemark/schemas/money.ts'

/** How a customer's card behaves at the processor. */
export type Card = 'pays' | 'declines' | 'needs_authentication'

export type DemoCustomer = {
  tenant: string
  key: string
  name: string
  currency: Currency
  timeZone: string
  plan: string
  subjects: string[]
  card: Card
  /** The closed month and the current one, in the customer's zone. */
  closed: BillingPeriod
  current: BillingPeriod
}

/** Price of one plan as the generator's own arithmetic reads it; the catalogue says the same in Tidemark's words. */
export type DemoPrice =
  | { id: string; model: 'flat'; amount: string }
  | { id: string; model: 'per-unit'; meter: string; unitPrice: string }
  | {
      id: string
      model: 'graduated'
      meter: string
      tiers: { upTo: string | null; unitPrice: string; flatFee?: string }[]
    }

export type DemoPlan = { id: string; name: string; currency: Currency; prices: DemoPrice[] }

export type DemoTenant = {
  id: string
  name: string
  meters: Meter[]
  plans: DemoPlan[]
  customers: DemoCustomer[]
}

const customersPerTenant = 100
const timeZones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Asia/Tokyo']

const lumenMeters: Meter[] = [
  {
    key: 'api_calls',
    eventType: 'api.request',
    aggregation: 'count',
    dimensions: { region: 'region' },
    filters: [{ path: 'status', in: ['ok'] }],
  },
  { key: 'tokens', eventType: 'model.completion', aggregation: 'sum', valuePath: 'usage.tokens' },
]

const lumenPlans: DemoPlan[] = [
  {
    id: 'starter',
    name: 'Starter',
    currency: 'USD',
    prices: [
      { id: 'base', model: 'flat', amount: '29.00' },
      { id: 'calls', model: 'per-unit', meter: 'api_calls', unitPrice: '0.0175' },
    ],
  },
  {
    id: 'growth',
    name: 'Growth',
    currency: 'EUR',
    prices: [
      { id: 'base', model: 'flat', amount: '99.00' },
      { id: 'calls', model: 'per-unit', meter: 'api_calls', unitPrice: '0.0123' },
      {
        id: 'tokens',
        model: 'graduated',
        meter: 'tokens',
        tiers: [
          { upTo: '1000', unitPrice: '0' },
          { upTo: '5000', unitPrice: '0.0021' },
          { upTo: null, unitPrice: '0.00155', flatFee: '1.50' },
        ],
      },
    ],
  },
]

const harborMeters: Meter[] = [
  { key: 'transfer_gb', eventType: 'transfer.finished', aggregation: 'sum', valuePath: 'gb' },
  { key: 'jobs', eventType: 'job.finished', aggregation: 'count' },
]

const harborPlans: DemoPlan[] = [
  {
    id: 'standard',
    name: 'Standard',
    currency: 'USD',
    prices: [
      { id: 'base', model: 'flat', amount: '49.00' },
      { id: 'transfer', model: 'per-unit', meter: 'transfer_gb', unitPrice: '0.0853' },
      { id: 'jobs', model: 'per-unit', meter: 'jobs', unitPrice: '0.004' },
    ],
  },
  {
    id: 'tokyo',
    name: 'Tokyo',
    currency: 'JPY',
    prices: [
      { id: 'base', model: 'flat', amount: '5000' },
      {
        id: 'transfer',
        model: 'graduated',
        meter: 'transfer_gb',
        tiers: [
          { upTo: '100.5', unitPrice: '12.35' },
          { upTo: null, unitPrice: '9.85' },
        ],
      },
    ],
  },
]

/** A day inside the month that the demonstration closes: every zone's month has ended two days before now. */
function closedMonthAt(now: Micros1970): Micros1970 {
  const twoDaysAgo = now - 2 * 86_400_000_000
  return monthlyPeriodAt(twoDaysAgo, 1, 'UTC').start - 10 * 86_400_000_000
}

/** Two tenants with a hundred customers each, the same for every run of one month. */
export function foundCompany(now: Micros1970): DemoTenant[] {
  return [
    tenant('lumen', 'Lumen AI', lumenMeters, lumenPlans, now),
    tenant('harbor', 'Harbor Storage', harborMeters, harborPlans, now),
  ]
}

function tenant(id: string, name: string, meters: Meter[], plans: DemoPlan[], now: Micros1970): DemoTenant {
  const customers = Array.from({ length: customersPerTenant }, (_, index) => customer(id, plans, index, now))
  return { id, name, meters, plans, customers }
}

function customer(tenantId: string, plans: DemoPlan[], index: number, now: Micros1970): DemoCustomer {
  const plan = plans[index % plans.length]
  const timeZone = timeZones[index % timeZones.length] ?? 'UTC'
  const key = `${tenantId}-${String(index + 1).padStart(3, '0')}`
  const closed = monthlyPeriodAt(closedMonthAt(now), 1, timeZone)
  return {
    tenant: tenantId,
    key,
    name: `Customer ${index + 1} of ${tenantId}`,
    currency: plan?.currency ?? 'USD',
    timeZone,
    plan: plan?.id ?? '',
    // Every fourth customer is metered under two subjects: one invoice, two keys.
    subjects: index % 4 === 0 ? [`${key}-eu`, `${key}-us`] : [key],
    card:
      index % 25 === 7 ? 'declines' : tenantId === 'lumen' && index === 11 ? 'needs_authentication' : 'pays',
    closed,
    current: monthlyPeriodAt(closed.end, 1, timeZone),
  }
}

/** The tenant's catalogue as `POST /v1/catalogue` and a catalogue file say it; meters apart, they go to the aggregator. */
export function catalogueOf(
  demo: DemoTenant,
  processorIds: Map<string, { customerId: string; paymentMethodId: string }>,
) {
  return {
    meters: demo.meters,
    plans: demo.plans,
    customers: demo.customers.map((each) => ({
      key: each.key,
      name: each.name,
      email: `billing@${each.key}.example`,
      currency: each.currency,
      timeZone: each.timeZone,
      processorCustomerId: processorIds.get(each.key)?.customerId ?? '',
      paymentMethodId: processorIds.get(each.key)?.paymentMethodId ?? '',
      subjects: each.subjects.map((subject) => ({ key: subject, from: formatInstant(each.closed.start) })),
    })),
    subscriptions: demo.customers.map((each) => ({
      key: `${each.key}-sub`,
      customer: each.key,
      plan: each.plan,
      start: formatInstant(each.closed.start),
      anchorDay: 1,
    })),
  }
}
