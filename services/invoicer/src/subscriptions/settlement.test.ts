import { decimal } from '@tidemark/schemas/decimal.ts'
import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import { expect, test } from 'vitest'
import { isRefusal } from './refusal.ts'
import { planRequest } from './requests.ts'
import type { Subscription } from './subscription.ts'

const at = (date: string): Micros1970 => parseInstant(`${date}T00:00:00Z`) ?? Number.NaN

const calls = { id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '1' } as const
const monthly: Plan = { id: 'a', name: 'A', currency: 'EUR', prices: [calls] }

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
        quantity: decimal('1'),
        addOns: [],
      },
    ],
  },
  billedUntil: at('2026-11-01'),
  isStartBilled: false,
  coupons: [],
}

const offers = { plan: () => 'none', addOn: () => 'none' }

/** What becomes of a cancellation, on 5 November, from an instant on. */
function cancel(plan: Plan, effective: string): string {
  const lists = { plans: new Map([['a/1', { plan }]]), addOns: new Map() }
  const request = { operation: 'cancel', body: { effective: `${effective}T00:00:00Z` } } as const
  const planned = planRequest(subscription, lists, offers, request, at('2026-11-05'))
  if ('faults' in planned) return 'faults'
  return isRefusal(planned) ? planned.code : 'done'
}

test('no end comes to a billed period that would have settled a longer interval or a term', () => {
  const yearly = { ...monthly, prices: [{ ...calls, interval: { unit: 'year', count: 1 } as const }] }
  const term = { ...monthly, minimum: { amount: '1200', term: { unit: 'year', count: 1 } as const } }
  const daily = { ...monthly, prices: [{ ...calls, interval: { unit: 'day', count: 1 } as const }] }
  expect([monthly, daily, yearly, term].map((plan) => cancel(plan, '2026-11-01'))).toEqual([
    'done',
    'done',
    'already_billed',
    'already_billed',
  ])
  // The period that is under way settles them.
  expect([yearly, term].map((plan) => cancel(plan, '2026-11-02'))).toEqual(['done', 'done'])
})

test('what was canceled before it began is refused, not stumbled over', () => {
  const never = {
    ...subscription,
    billedUntil: undefined,
    timeline: { ...subscription.timeline, end: subscription.timeline.start, phases: [] },
  }
  const lists = { plans: new Map([['a/1', { plan: monthly }]]), addOns: new Map() }
  const request = { operation: 'change', body: { quantity: '2' } } as const
  expect(planRequest(never, lists, offers, request, at('2026-11-05'))).toMatchObject({
    code: 'illegal_transition',
  })
})
