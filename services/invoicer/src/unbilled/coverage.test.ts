import { decimal } from '@tidemark/schemas/decimal.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import { expect, test } from 'vitest'
import type { Mapping } from '../catalogue/known.ts'
import type { BilledSubscription } from '../invoicing/subscription.ts'
import type { Phase } from '../subscriptions/timeline.ts'
import { coverageOf, fateOf } from './coverage.ts'

const plan = (id: string, prices: Plan['prices'], more: Partial<Plan> = {}): Plan => ({
  id,
  name: id,
  currency: 'EUR',
  prices,
  ...more,
})
const calls = { id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '1' } as const
const plans = [
  plan('all', [calls]),
  plan('free-pauses', [calls], { pauseUsage: 'billed' }),
  plan('fee', [{ id: 'fee', model: 'flat', amount: '1' }]),
  plan('eu', [{ ...calls, filter: { region: ['eu'] } }]),
]

const subscription = (
  key: string,
  ...phases: [number, number, Phase['status'], string][]
): BilledSubscription => ({
  key,
  customer: 'c',
  currency: 'EUR',
  timeZone: 'UTC',
  timeline: {
    start: phases[0]?.[0] ?? 0,
    end: phases.at(-1)?.[1] ?? 0,
    anchor: { date: '1970-01-01' },
    phases: phases.map(([from, to, status, id]) => ({
      from,
      to,
      status,
      plan: id,
      planVersion: 1,
      quantity: decimal('1'),
      addOns: [],
    })),
  },
  plans: new Map(
    plans.map((each) => [`${each.id}/1`, { id: each.id, version: 1, sha256: '', plan: each }] as const),
  ),
  addOns: new Map(),
  coupons: [],
  mappings: [],
  billedUntil: undefined,
  isStartBilled: false,
})

const mapping = (from: number, to: number, subscription?: string): Mapping => ({
  subject: 's',
  customer: 'c',
  from,
  to,
  ...(subscription === undefined ? {} : { subscription }),
})

/** `from-to: reason of an event in region us`, billed ones as `billed by <subscription>`. */
const told = (mappings: Mapping[], subscriptions: BilledSubscription[]) =>
  coverageOf('calls', mappings, () => subscriptions, { start: 0, end: 100 }).map((stretch) => {
    const { reason, subscription: key } = fateOf(stretch, () => 'us')
    return `${stretch.from}-${stretch.to}: ${reason ?? `billed by ${key}`}`
  })

test('a subject of nobody, without a subscription, then in each status', () => {
  expect(told([], [])).toEqual(['0-100: unknown_subject'])
  const mappings = [mapping(10, Infinity)]
  expect(told(mappings, [])).toEqual(['0-10: unknown_subject', '10-100: no_subscription'])
  const phases = subscription(
    's',
    [20, 30, 'trial', 'all'],
    [30, 40, 'active', 'all'],
    [40, 60, 'paused', 'all'],
  )
  expect(told(mappings, [phases])).toEqual([
    '0-10: unknown_subject',
    '10-20: no_subscription',
    '20-30: trial',
    '30-40: billed by s',
    '40-60: paused',
    '60-100: no_subscription',
  ])
})

test('the plan in force decides: its prices, its filters, its switches', () => {
  const changing = subscription(
    's',
    [0, 20, 'active', 'fee'],
    [20, 40, 'active', 'eu'],
    [40, 60, 'active', 'all'],
    [60, 80, 'paused', 'free-pauses'],
    [80, 100, 'paused', 'eu'],
  )
  expect(told([mapping(-Infinity, Infinity)], [changing])).toEqual([
    '0-20: no_price',
    '20-40: filtered_out',
    '40-80: billed by s',
    '80-100: filtered_out',
  ])
})

test('a subject that names its subscription is billed by no other one', () => {
  const both = [
    subscription('a', [0, 50, 'active', 'all']),
    subscription('b', [0, Infinity, 'active', 'fee']),
  ]
  expect(told([mapping(-Infinity, Infinity, 'b')], both)).toEqual(['0-100: no_price'])
  expect(told([mapping(-Infinity, Infinity)], both)).toEqual(['0-50: billed by a', '50-100: no_price'])
})
