import type { Catalogue } from '@tidemark/schemas/catalogue.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'

/** A small company: two meters, a plan of each price model, and customers in zones that cut hours. */
export const meters: Meter[] = [
  { key: 'calls', eventType: 'api.request', aggregation: 'count', filters: [{ path: 'status', in: ['ok'] }] },
  { key: 'gb', eventType: 'transfer.finished', aggregation: 'sum', valuePath: 'gb' },
]

export const plan: Plan = {
  id: 'standard',
  name: 'Standard',
  currency: 'EUR',
  prices: [
    { id: 'base', model: 'flat', amount: '20.00', description: 'Base fee' },
    { id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '0.015' },
    {
      id: 'transfer',
      model: 'graduated',
      meter: 'gb',
      tiers: [
        { upTo: '10', unitPrice: '0' },
        { upTo: null, unitPrice: '0.25', flatFee: '1.00' },
      ],
    },
  ],
}

export const freePlan: Plan = {
  id: 'free',
  name: 'Free',
  currency: 'EUR',
  prices: [{ id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '0' }],
}

/** Customers `c1`, `c2`, … with one subject and one subscription each, from the start of October 2026 in their zone. */
export function company(count: number, { timeZone = 'UTC', start = '2026-10-01T00:00:00Z' } = {}): Catalogue {
  const keys = Array.from({ length: count }, (_, index) => `c${index + 1}`)
  return {
    plans: [plan, freePlan],
    customers: keys.map((key) => ({
      key,
      name: `Customer ${key}`,
      email: `${key}@example.com`,
      currency: 'EUR',
      timeZone,
      subjects: [{ key: `${key}-subject` }],
    })),
    subscriptions: keys.map((key) => ({ key: `${key}-sub`, customer: key, plan: plan.id, start })),
  }
}
