import { expect, test } from 'vitest'
import type { Known } from './known.ts'
import { subscriptionFaults } from './subscription-faults.ts'

const customer = {
  key: 'acme',
  name: 'Acme',
  email: 'a@acme.example',
  currency: 'EUR',
  timeZone: 'UTC',
  subjects: [],
} as const
const plan = {
  id: 'flat',
  name: 'Flat',
  currency: 'EUR',
  prices: [{ id: 'fee', model: 'flat', amount: '1.00' }],
} as const
const nothing: Known = {
  meters: new Map(),
  seller: undefined,
  exchangeRates: new Map(),
  plans: new Map(),
  addOns: new Map(),
  priceIds: new Set(),
  coupons: new Map(),
  customers: new Map(),
  mappings: [],
  subscriptions: new Map(),
  lists: { plans: new Map(), addOns: new Map() },
  offeredCoupons: new Map(),
  now: 0,
}

test.each([
  ['2026-10-01T00:00:00Z', 0],
  ['0100-01-01T00:00:00Z', 1],
  ['1969-12-31T23:59:59Z', 1],
  ['9999-12-31T23:59:59Z', 1],
])('a subscription from %s has %i faults', (start, count) => {
  const subscriptions = [{ key: 's', customer: 'acme', plan: 'flat', start }]
  const catalogue = {
    customers: [{ ...customer, subjects: [] }],
    plans: [{ ...plan, prices: [...plan.prices] }],
    subscriptions,
  }
  const faults = subscriptionFaults(catalogue, nothing)
  expect(faults).toHaveLength(count)
  for (const { path, reason } of faults) expect(`${path}: ${reason}`).toContain('subscriptions[0].start: "')
})
