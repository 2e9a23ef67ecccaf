import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { expect, test } from 'vitest'
import { at, plan, subscribed } from '../invoicing/example-subscription.ts'
import type { BilledSubscription } from '../invoicing/subscription.ts'
import { dueInvoices, groupDue } from './due.ts'

const flat = { id: 'base', model: 'flat' as const, amount: '31.00' }
const monthly = plan('p', [flat])
const subscription = (given: Parameters<typeof subscribed>[2] & { from?: string } = {}) =>
  subscribed([monthly], [{ from: given.from ?? '2026-01-31', plan: 'p' }], { day: 31, ...given })
const starts = (given: BilledSubscription, until: string, graceMicros = 0) =>
  dueInvoices(given, at(until), graceMicros).map(({ kind, period }) => {
    const { start, end } = formatPeriod(period)
    return `${kind === 'advance' ? 'start ' : ''}${start.slice(0, 16)} ${end.slice(0, 16)}`
  })

test('every missed month is due, in order, without drift', () => {
  expect(starts(subscription(), '2026-04-30')).toEqual([
    '2026-01-31T00:00 2026-02-28T00:00',
    '2026-02-28T00:00 2026-03-31T00:00',
    '2026-03-31T00:00 2026-04-30T00:00',
  ])
  expect(starts(subscription(), '2026-02-27T23:59:59')).toEqual([])
  expect(starts(subscription(), '2026-02-28T00:59:00', 3_600_000_000)).toEqual([])
})

test('what is billed is not due again; the end of the subscription ends the last period', () => {
  const given = { billedUntil: at('2026-03-31'), end: '2026-04-10' }
  expect(starts(subscription(given), '2027-01-01')).toEqual(['2026-03-31T00:00 2026-04-10T00:00'])
  expect(starts(subscription({ ...given, billedUntil: at('2026-04-10') }), '2027-01-01')).toEqual([])
})

test('a start within a month makes a first period that ends at the anchor, in the customer’s zone', () => {
  const given = subscription({ from: '2026-03-10T12:00:00', day: 1, timeZone: 'Europe/Berlin' })
  expect(starts(given, '2026-05-01')).toEqual([
    '2026-03-10T12:00 2026-03-31T22:00',
    '2026-03-31T22:00 2026-04-30T22:00',
  ])
})

test('fees in advance are due with the start and then with each boundary, without grace', () => {
  const ahead = plan('p', [{ ...flat, timing: 'advance' }])
  const given = (more = {}) => subscribed([ahead], [{ from: '2026-01-15', plan: 'p' }], more)
  expect(starts(given(), '2026-01-15', 3_600_000_000)).toEqual(['start 2026-01-15T00:00 2026-02-15T00:00'])
  expect(starts(given({ isStartBilled: true }), '2026-02-15', 3_600_000_000)).toEqual([
    '2026-01-15T00:00 2026-02-15T00:00',
  ])
  expect(starts(given({ billedUntil: at('2026-02-15') }), '2026-02-16')).toEqual([])
})

test('periods with one start and end are closed together, the earliest end first', () => {
  const due = ['a', 'b'].flatMap((key) => dueInvoices(subscription({ key }), at('2026-03-31'), 0))
  expect(groupDue(due).map(({ due: group }) => group.map((each) => each.subscription.key))).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
})
