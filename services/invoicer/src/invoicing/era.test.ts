import type { Price } from '@tidemark/schemas/price.ts'
import { expect, test } from 'vitest'
import { compose, dueAt, plan, shown, subscribed } from './example-subscription.ts'

// A plan of another interval begins with March, and counts its periods from there.
const anchor = { date: '2026-03-01', day: 1, alignment: 'anchor' as const }
const stages = (from: string, to: string) => [
  { from: '2026-01-01', plan: from },
  { from: '2026-03-01', plan: to, anchor },
]
const year = { unit: 'year' as const, count: 1 }
const quarter = { unit: 'month' as const, count: 3 }
const fee = (id: string, amount: string, more: Partial<Price> = {}): Price => ({
  id,
  model: 'flat',
  amount,
  ...(more.interval ? { interval: more.interval } : {}),
  ...(more.timing ? { timing: more.timing } : {}),
})
const ahead = { timing: 'advance' as const }

test('a fee in advance of the new interval is asked for once, where it begins', () => {
  const monthly = plan('m', [fee('base', '10.00', ahead)])
  const yearly = plan('y', [fee('base', '100.00', ahead)], { interval: year })
  const subscription = subscribed([monthly, yearly], stages('m', 'y'))
  expect(shown(compose(dueAt(subscription, '2026-02-01')))).toEqual(['fee base 2026-03-01 2027-03-01 100.00'])
  expect(shown(compose(dueAt(subscription, '2026-03-01')))).toEqual(['fee base 2027-03-01 2028-03-01 100.00'])
})

test('a longer fee in advance that is under way is returned for the time that is left', () => {
  const support = fee('support', '120.00', { ...ahead, interval: year })
  const monthly = plan('m', [support])
  const quarterly = plan('q', [support], { interval: quarter })
  const subscription = subscribed([monthly, quarterly], stages('m', 'q'))
  expect(shown(compose(dueAt(subscription, '2026-01-01', 'advance')))).toEqual([
    'fee support 2026-01-01 2027-01-01 120.00',
  ])
  // 306 of 365 days.
  expect(shown(compose(dueAt(subscription, '2026-02-01')))).toEqual([
    'credit support 2026-03-01 2027-01-01 -100.60',
    'fee support 2026-03-01 2027-03-01 120.00',
  ])
})

test('longer intervals of usage and arrears end where the new ones begin, and nothing is in two', () => {
  const calls = { id: 'calls', model: 'per-unit' as const, meter: 'calls', unitPrice: '1', interval: year }
  const late = fee('late', '120.00', { interval: year })
  const subscription = subscribed(
    [plan('m', [calls, late]), plan('q', [calls, late], { interval: quarter })],
    stages('m', 'q'),
  )
  const lines = ['2026-02-01', '2026-03-01', '2026-12-01'].map((start) =>
    shown(compose(dueAt(subscription, start), () => '5')),
  )
  expect(lines).toEqual([
    ['usage calls 2026-01-01 2026-03-01 5.00', 'fee late 2026-01-01 2026-03-01 19.40'],
    [],
    ['usage calls 2026-03-01 2027-03-01 5.00', 'fee late 2026-03-01 2027-03-01 120.00'],
  ])
})

test('a longer interval of the calendar goes on under the plan that is billed by it', () => {
  const calendar = { date: '2026-01-01', day: 1, alignment: 'calendar' as const }
  const calls = { id: 'calls', model: 'per-unit' as const, meter: 'calls', unitPrice: '1', interval: quarter }
  const late = fee('late', '90.00', { interval: quarter })
  const subscription = subscribed(
    [plan('m', [calls, late]), plan('q', [calls, late], { interval: quarter })],
    [
      { from: '2026-01-01', plan: 'm' },
      { from: '2026-03-01', plan: 'q', anchor: calendar },
    ],
  )
  const aligned = { ...subscription, timeline: { ...subscription.timeline, anchor: calendar } }
  const lines = ['2026-02-01', '2026-03-01', '2026-04-01'].map((start) =>
    shown(compose(dueAt(aligned, start), () => '5')),
  )
  expect(lines).toEqual([
    [],
    [
      'usage calls 2026-01-01 2026-03-01 5.00',
      'usage calls 2026-03-01 2026-04-01 5.00',
      'fee late 2026-01-01 2026-03-01 59.00',
      'fee late 2026-03-01 2026-04-01 31.00',
    ],
    ['usage calls 2026-04-01 2026-07-01 5.00', 'fee late 2026-04-01 2026-07-01 90.00'],
  ])
})
