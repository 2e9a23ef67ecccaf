import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { expect, test } from 'vitest'
import { attachCoupon } from './coupons.ts'
import { isRefusal } from './refusal.ts'
import type { Subscription } from './subscription.ts'

const at = (date: string): Micros1970 => parseInstant(`${date}T00:00:00Z`) ?? Number.NaN

const subscription: Subscription = {
  key: 's',
  customer: 'c',
  currency: 'EUR',
  zone: 'UTC',
  source: 'tidemark',
  billingMode: 'tidemark',
  revision: 1n,
  timeline: {
    start: at('2026-10-01'),
    end: Infinity,
    anchor: { date: '2026-10-01', day: 1, alignment: 'anchor' },
    phases: [
      {
        from: at('2026-10-01'),
        to: Infinity,
        status: 'active',
        plan: 'a',
        planVersion: 1,
        quantity: { coefficient: 1n, scale: 0 },
        addOns: [],
      },
    ],
  },
  billedUntil: undefined,
  isStartBilled: false,
  coupons: [],
}

const ten = {
  coupon: { id: 'ten', name: 'Ten', type: 'percent' as const, value: '10', duration: 'forever' as const },
  given: 0,
}

const given = (from: string, billed: Partial<Subscription>) => {
  const result = attachCoupon({ ...subscription, ...billed }, { coupon: 'ten', from }, ten, at('2026-11-05'))
  return isRefusal(result) ? result.code : result.coupons.length
}

test('a coupon is given to no invoice that is made already', () => {
  expect(given('2026-10-01T00:00:00Z', {})).toBe(1)
  expect(given('2026-10-01T00:00:00Z', { isStartBilled: true })).toBe('already_billed')
  expect(given('2026-10-02T00:00:00Z', { isStartBilled: true })).toBe(1)
  const billed = { isStartBilled: true, billedUntil: at('2026-11-01') }
  expect(given('2026-10-31T23:59:59Z', billed)).toBe('already_billed')
  expect(given('2026-11-01T00:00:00Z', billed)).toBe(1)
})
