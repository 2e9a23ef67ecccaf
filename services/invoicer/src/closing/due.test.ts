import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import { expect, test } from 'vitest'
import { type BilledSubscription, duePeriods, groupByPeriod } from './due.ts'

const at = (text: string) => parseInstant(`${text}Z`) ?? Number.NaN
const subscription = (given: Partial<BilledSubscription>): BilledSubscription => ({
  key: 's',
  customer: 'c',
  timeZone: 'UTC',
  plan: { id: 'p', version: 1, sha256: '', plan: { id: 'p', name: 'P', currency: 'EUR', prices: [] } },
  anchorDay: 31,
  startedAt: at('2026-01-31T00:00:00'),
  endedAt: Infinity,
  billedUntil: undefined,
  mappings: [],
  ...given,
})
const starts = (given: Partial<BilledSubscription>, endedBy: string) =>
  duePeriods(subscription(given), at(endedBy)).map(({ period }) => {
    const { start, end } = formatPeriod(period)
    return `${start.slice(0, 16)} ${end.slice(0, 16)}`
  })

test('every missed month is due, in order, without drift', () => {
  expect(starts({}, '2026-04-30T00:00:00')).toEqual([
    '2026-01-31T00:00 2026-02-28T00:00',
    '2026-02-28T00:00 2026-03-31T00:00',
    '2026-03-31T00:00 2026-04-30T00:00',
  ])
  expect(starts({}, '2026-02-27T23:59:59')).toEqual([])
})

test('what is billed is not due again; the end of the subscription ends the last period', () => {
  const given = { billedUntil: at('2026-03-31T00:00:00'), endedAt: at('2026-04-10T00:00:00') }
  expect(starts(given, '2027-01-01T00:00:00')).toEqual(['2026-03-31T00:00 2026-04-10T00:00'])
  expect(starts({ ...given, billedUntil: given.endedAt }, '2027-01-01T00:00:00')).toEqual([])
})

test('a start within a month makes a first period that ends at the anchor, in the customer’s zone', () => {
  const given = { anchorDay: 1, startedAt: at('2026-03-10T12:00:00'), timeZone: 'Europe/Berlin' }
  expect(starts(given, '2026-05-01T00:00:00')).toEqual([
    '2026-03-10T12:00 2026-03-31T22:00',
    '2026-03-31T22:00 2026-04-30T22:00',
  ])
})

test('periods with one start and end are closed together, the earliest end first', () => {
  const due = [
    ...duePeriods(subscription({ key: 'a' }), at('2026-03-31T00:00:00')),
    ...duePeriods(subscription({ key: 'b' }), at('2026-03-31T00:00:00')),
  ]
  expect(groupByPeriod(due).map(({ due: group }) => group.map((each) => each.subscription.key))).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
})
