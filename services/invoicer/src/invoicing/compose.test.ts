import { formatMicros } from '@tidemark/schemas/money.ts'
import { expect, test } from 'vitest'
import { at, compose, dueAt, plan, seats, shown, subscribed } from './example-subscription.ts'

const base = { id: 'base', model: 'flat' as const, amount: '31.00' }
const calls = { id: 'calls', model: 'per-unit' as const, meter: 'calls', unitPrice: '0.5' }
const tiers = {
  id: 'tiers',
  model: 'graduated' as const,
  meter: 'calls',
  tiers: [
    { upTo: '10', unitPrice: '1' },
    { upTo: null, unitPrice: '2' },
  ],
}
const a = plan('a', [base, calls])
const b = plan('b', [{ ...base, amount: '62.00' }, calls])

test('a whole period is its usage and its fees, in the order of the plan', () => {
  const draft = compose(dueAt(subscribed([a], [{ from: '2026-10-01', plan: 'a' }]), '2026-10-01'), () => '3')
  expect(shown(draft)).toEqual([
    'fee base 2026-10-01 2026-11-01 31.00',
    'usage calls 2026-10-01 2026-11-01 1.50',
  ])
  expect(draft.invoice).toMatchObject({
    netTotalMicros: 32_500_000n,
    totalMicros: 32_500_000n,
    amountDueMicros: 32_500_000n,
  })
})

test('parts of a period are prorated by days of the customer’s zone', () => {
  const late = subscribed([a], [{ from: '2026-10-15T10:00:00', plan: 'a' }], { day: 1 })
  expect(shown(compose(dueAt(late, '2026-10-15T10:00:00')))[0]).toBe(
    'fee base 2026-10-15T10:00 2026-11-01 17.00',
  )
  // In Kolkata the 15th begins at 18:30 of the 14th, so this is the 16th there.
  const kolkata = subscribed([a], [{ from: '2026-10-15T19:00:00', plan: 'a' }], {
    day: 1,
    timeZone: 'Asia/Kolkata',
  })
  expect(shown(compose(dueAt(kolkata, '2026-10-15T19:00:00')))[0]).toMatch(/16\.00$/)
  const ended = subscribed([a], [{ from: '2026-10-01', plan: 'a' }], { end: '2026-10-11T09:00:00' })
  expect(shown(compose(dueAt(ended, '2026-10-01')))[0]).toBe('fee base 2026-10-01 2026-10-11T09:00 10.00')
})

test('a plan change rates both parts with their own versions; tiers restart unless they are carried', () => {
  const stages = [
    { from: '2026-10-01', plan: 'a' },
    { from: '2026-10-11', plan: 'b' },
  ]
  expect(shown(compose(dueAt(subscribed([a, b], stages), '2026-10-01'), () => '2'))).toEqual([
    'fee base 2026-10-01 2026-10-11 10.00',
    'fee base 2026-10-11 2026-11-01 42.00',
    'usage calls 2026-10-01 2026-10-11 1.00',
    'usage calls 2026-10-11 2026-11-01 1.00',
  ])
  const tiered = (carryTiers: boolean) =>
    shown(
      compose(
        dueAt(subscribed([plan('a', [tiers]), plan('b', [tiers], { carryTiers })], stages), '2026-10-01'),
        () => '8',
      ),
    ).map((line) => line.split(' ').at(-1))
  expect(tiered(false)).toEqual(['8.00', '8.00'])
  expect(tiered(true)).toEqual(['8.00', '14.00'])
})

test('of several changes on one local date the last counts for fees', () => {
  const stages = [
    { from: '2026-10-01', plan: 'a' },
    { from: '2026-10-11T08:00:00', plan: 'b' },
    { from: '2026-10-11T15:00:00', plan: 'a' },
  ]
  const fees = shown(compose(dueAt(subscribed([a, b], stages), '2026-10-01'))).filter((line) =>
    line.startsWith('fee'),
  )
  expect(fees).toEqual([
    'fee base 2026-10-01 2026-10-11T08:00 10.00',
    'fee base 2026-10-11T15:00 2026-11-01 21.00',
  ])
})

test('trials and pauses bill what the plan says', () => {
  const stages = [
    { from: '2026-10-01', plan: 'a', status: 'trial' as const },
    { from: '2026-10-11', plan: 'a' },
    { from: '2026-10-21', plan: 'a', status: 'paused' as const },
    { from: '2026-10-26', plan: 'a' },
  ]
  const windows = (plans: ReturnType<typeof plan>) => {
    const draft = compose(dueAt(subscribed([plans], stages), '2026-10-01'))
    return {
      fees: shown(draft).filter((line) => line.startsWith('fee')),
      usage: draft.usage.map(({ need }) => need.windows.length),
    }
  }
  expect(windows(a)).toEqual({
    fees: ['fee base 2026-10-11 2026-10-21 10.00', 'fee base 2026-10-26 2026-11-01 6.00'],
    usage: [2],
  })
  const kept = plan('a', [base, calls], { trialUsage: 'billed', pauseUsage: 'billed', pauseFees: 'keep' })
  expect(windows(kept)).toEqual({ fees: ['fee base 2026-10-11 2026-11-01 21.00'], usage: [1] })
})

const ahead = { ...base, timing: 'advance' as const }

test('fees in advance come with the start and then with each boundary', () => {
  const subscription = subscribed([plan('a', [ahead])], [{ from: '2026-10-15', plan: 'a' }], { day: 1 })
  expect(shown(compose(dueAt(subscription, '2026-10-15', 'advance')))).toEqual([
    'fee base 2026-10-15 2026-11-01 17.00',
  ])
  expect(shown(compose(dueAt(subscription, '2026-10-15')))).toEqual(['fee base 2026-11-01 2026-12-01 31.00'])
})

test('a change returns the days left of a fee in advance and asks for those of the new one', () => {
  const plans = [plan('a', [ahead]), plan('b', [{ ...ahead, amount: '62.00' }])]
  const changed = subscribed(plans, [
    { from: '2026-10-01', plan: 'a' },
    { from: '2026-10-11T12:00:00', plan: 'b' },
  ])
  expect(shown(compose(dueAt(changed, '2026-10-01')))).toEqual([
    'credit base 2026-10-11T12:00 2026-11-01 -21.00',
    'charge base 2026-10-11T12:00 2026-11-01 42.00',
    'fee base 2026-11-01 2026-12-01 62.00',
  ])
  const trial = subscribed(plans, [
    { from: '2026-10-01', plan: 'a', status: 'trial' },
    { from: '2026-10-15', plan: 'a' },
  ])
  expect(shown(compose(dueAt(trial, '2026-10-01', 'advance')))).toEqual([])
  expect(shown(compose(dueAt(trial, '2026-10-01')))[0]).toBe('charge base 2026-10-15 2026-11-01 17.00')
})

test('an end returns the unused part of a fee in advance, or keeps it', () => {
  const ended = (cancelFees: 'credit' | 'keep') =>
    subscribed(
      [plan('a', [ahead, { ...base, id: 'late' }], { cancelFees })],
      [{ from: '2026-10-01', plan: 'a' }],
      {
        end: '2026-10-21',
      },
    )
  expect(shown(compose(dueAt(ended('credit'), '2026-10-01')))).toEqual([
    'fee late 2026-10-01 2026-10-21 20.00',
    'credit base 2026-10-21 2026-11-01 -11.00',
  ])
  expect(shown(compose(dueAt(ended('keep'), '2026-10-01')))).toEqual(['fee late 2026-10-01 2026-10-21 20.00'])
})

test('a longer interval is due where it ends, or begins, and a shorter one each time', () => {
  const year = { unit: 'year' as const, count: 1 }
  const week = { unit: 'week' as const, count: 1 }
  const yearly = plan('a', [
    { ...base, id: 'support', amount: '365.00', interval: year, timing: 'advance' },
    { ...base, id: 'audit', amount: '100.00', interval: year },
    { ...tiers, interval: year },
  ])
  const subscription = subscribed([yearly], [{ from: '2026-01-01', plan: 'a' }])
  expect(shown(compose(dueAt(subscription, '2026-01-01', 'advance')))).toEqual([
    'fee support 2026-01-01 2027-01-01 365.00',
  ])
  expect(shown(compose(dueAt(subscription, '2026-05-01')))).toEqual([])
  expect(shown(compose(dueAt(subscription, '2026-12-01'), () => '11'))).toEqual([
    'fee audit 2026-01-01 2027-01-01 100.00',
    'usage tiers 2026-01-01 2027-01-01 12.00',
    'fee support 2027-01-01 2028-01-01 365.00',
  ])
  const ended = subscribed([yearly], [{ from: '2026-01-01', plan: 'a' }], { end: '2026-03-15' })
  expect(shown(compose(dueAt(ended, '2026-03-01'), () => '1000')).slice(0, 1)).toEqual([
    'fee audit 2026-01-01 2026-03-15 20.00',
  ])
  const weekly = subscribed(
    [plan('a', [{ ...base, interval: week }], { interval: { unit: 'week', count: 2 } })],
    [{ from: '2026-10-05', plan: 'a' }],
  )
  expect(shown(compose(dueAt(weekly, '2026-10-05')))).toEqual([
    'fee base 2026-10-05 2026-10-12 31.00',
    'fee base 2026-10-12 2026-10-19 31.00',
  ])
})

test('seats are the quantity of a price without a meter; add-ons multiply their fees', () => {
  const seated = plan('a', [{ id: 'seat', model: 'per-unit', unitPrice: '31' }])
  const addOn = { id: 'x', name: 'X', currency: 'EUR' as const, prices: [{ ...base, id: 'extra' }] }
  const subscription = subscribed(
    [seated],
    [
      { from: '2026-10-01', plan: 'a', ...seats('2') },
      { from: '2026-10-11', plan: 'a', ...seats('3'), addOns: [{ id: 'x', version: 1, ...seats('2') }] },
    ],
    { addOns: new Map([['x/1', { id: 'x', version: 1, sha256: '', addOn }]]) },
  )
  expect(shown(compose(dueAt(subscription, '2026-10-01')))).toEqual([
    'fee seat 2026-10-01 2026-10-11 20.00',
    'fee seat 2026-10-11 2026-11-01 63.00',
    'fee extra 2026-10-11 2026-11-01 42.00',
  ])
})

test('a minimum is prorated and makes a true-up; one of a term counts what its invoices came to', () => {
  const least = plan('a', [calls], { minimum: { amount: '31' } })
  const part = subscribed([least], [{ from: '2026-10-22', plan: 'a' }], { day: 1 })
  expect(shown(compose(dueAt(part, '2026-10-22'), () => '8'))).toEqual([
    'usage calls 2026-10-22 2026-11-01 4.00',
    'true-up minimum 2026-10-22 2026-11-01 6.00',
  ])
  const term = plan('a', [calls], { minimum: { amount: '100', term: { unit: 'month', count: 3 } } })
  const quarter = subscribed([term], [{ from: '2026-10-01', plan: 'a' }])
  expect(shown(compose(dueAt(quarter, '2026-11-01'), () => '8'))).toHaveLength(1)
  expect(shown(compose(dueAt(quarter, '2026-12-01'), () => '8', 40_000_000n)).at(-1)).toBe(
    'true-up minimum 2026-12-01 2027-01-01 56.00',
  )
})

test('after a plan change each plan has its own part of its minimum', () => {
  const plans = [
    plan('a', [calls], { minimum: { amount: '31' } }),
    plan('b', [calls], { minimum: { amount: '62' } }),
  ]
  const subscription = subscribed(plans, [
    { from: '2026-10-01', plan: 'a' },
    { from: '2026-10-11', plan: 'b' },
  ])
  expect(shown(compose(dueAt(subscription, '2026-10-01'), () => '30')).slice(2)).toEqual([
    'true-up minimum 2026-10-01 2026-11-01 27.00',
  ])
})

test('coupons are redeemed as often as they last', () => {
  const coupon = {
    id: 'ten',
    name: 'Ten',
    type: 'percent' as const,
    value: '10',
    duration: 'repeating' as const,
    periods: 2,
  }
  const redeemed = (redemptions: number) =>
    subscribed([a], [{ from: '2026-10-01', plan: 'a' }], {
      coupons: [{ coupon, from: at('2026-10-05'), to: Infinity, redemptions }],
    })
  const due = (redemptions: number) => {
    const { invoice } = compose(dueAt(redeemed(redemptions), '2026-10-01'))
    return formatMicros(invoice.totalMicros, 'EUR')
  }
  expect([due(0), due(1), due(2)]).toEqual(['27.90', '27.90', '31.00'])
})
