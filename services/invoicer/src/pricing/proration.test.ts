import { addDays, startOfDay } from '@tidemark/schemas/local-date.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterTrial, type DayCount, proration } from './proration.ts'

const zones = fc.constantFrom(
  'UTC',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'America/New_York',
  'Pacific/Apia',
  'Australia/Lord_Howe',
)
const days = (text: string, zone = 'UTC') => startOfDay(text, zone)
const period = (start: string, end: string, zone = 'UTC') => ({
  start: days(start, zone),
  end: days(end, zone),
})
const terms = (dayCount: DayCount, timeZone = 'UTC') => ({ dayCount, timeZone })

test('parts of a period sum up to the whole, in every zone, wherever they are cut', () => {
  const dayCount = fc.constantFrom<DayCount>('half-open', 'fixed30', 'second')
  const cuts = fc.array(fc.integer({ min: 0, max: 95 }), { maxLength: 5 })
  fc.assert(
    fc.property(
      dayCount,
      zones,
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 1, max: 95 }),
      cuts,
      (count, zone, first, length, at) => {
        const start = addDays('1980-01-01', first)
        const bounds = [0, ...at.filter((day) => day < length).sort((a, b) => a - b), length]
        const instants = bounds.map((day) => days(addDays(start, day), zone))
        const whole = { start: instants[0] ?? 0, end: instants.at(-1) ?? 0 }
        fc.pre(whole.end > whole.start)
        const parts = instants
          .slice(1)
          .map((end, index) => proration(whole, { start: instants[index] ?? 0, end }, terms(count, zone)))
        const { denominator } = proration(whole, whole, terms(count, zone))
        expect(parts.every((part) => part.denominator === denominator && part.numerator >= 0n)).toBe(true)
        expect(parts.reduce((sum, { numerator }) => sum + numerator, 0n)).toBe(denominator)
      },
    ),
  )
})

test('days are those of the customer’s calendar: an hour lost or won changes nothing', () => {
  const month = period('2026-03-01', '2026-04-01', 'Europe/Berlin')
  const left = { start: days('2026-03-15', 'Europe/Berlin'), end: month.end }
  expect(proration(month, left, terms('half-open', 'Europe/Berlin'))).toEqual({
    numerator: 17n,
    denominator: 31n,
  })
  const seconds = proration(month, left, terms('second', 'Europe/Berlin'))
  expect(seconds).toEqual({
    numerator: BigInt(17 * 24 - 1) * 3_600_000_000n,
    denominator: BigInt(31 * 24 - 1) * 3_600_000_000n,
  })
})

test('the day of a change belongs to what follows, unless a day that has begun counts whole', () => {
  const month = period('2026-04-01', '2026-05-01')
  const used = { start: month.start, end: days('2026-04-11') + 15 * 3_600_000_000 }
  expect(proration(month, used, terms('half-open')).numerator).toBe(10n)
  expect(proration(month, used, terms('inclusive')).numerator).toBe(11n)
  expect(proration(month, { start: used.end, end: month.end }, terms('half-open')).numerator).toBe(20n)
  expect(proration(month, month, terms('inclusive'))).toEqual({ numerator: 30n, denominator: 30n })
})

test('months of thirty days: also those that a short month has clamped, and weeks across the end of a month', () => {
  const clamped = period('2026-01-31', '2026-02-28')
  expect(proration(clamped, clamped, terms('fixed30'))).toEqual({ numerator: 30n, denominator: 30n })
  expect(
    proration(clamped, { start: clamped.start, end: days('2026-02-10') }, terms('fixed30')).numerator,
  ).toBe(9n)
  expect(
    proration(clamped, { start: days('2026-02-10'), end: clamped.end }, terms('fixed30')).numerator,
  ).toBe(21n)
  const quarter = period('2026-01-15', '2026-04-15')
  expect(proration(quarter, period('2026-03-15', '2026-04-15'), terms('fixed30'))).toEqual({
    numerator: 30n,
    denominator: 90n,
  })
  const week = period('2026-06-29', '2026-07-06')
  expect(proration(week, week, terms('fixed30'))).toEqual({ numerator: 7n, denominator: 7n })
})

test('nothing outside the period counts, and a trial longer than it leaves nothing', () => {
  const month = period('2026-01-01', '2026-02-01')
  expect(proration(month, period('2025-01-01', '2027-01-01'), terms('half-open')).numerator).toBe(31n)
  expect(proration(month, period('2026-03-01', '2026-04-01'), terms('half-open')).numerator).toBe(0n)
  expect(afterTrial(month, 45, 'UTC')).toEqual({ start: month.end, end: month.end })
  expect(afterTrial(month, 0, 'UTC')).toEqual(month)
})
