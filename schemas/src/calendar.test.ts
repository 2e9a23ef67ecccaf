import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Anchor,
  boundaryDate,
  datedPeriodAt,
  type Interval,
  periodAt,
  periodIndexOf,
} from './calendar.ts'
import { formatInstant, parseInstant } from './instant.ts'
import { addDays, daysBetween, isLocalDate, isTimeZone, localDateOf, startOfDay } from './local-date.ts'

const month: Interval = { unit: 'month', count: 1 }
const at = (text: string) => parseInstant(text) ?? Number.NaN
const starts = (anchor: Anchor, interval: Interval, count: number) =>
  Array.from({ length: count }, (_, index) => boundaryDate(anchor, interval, index))

describe('boundaries by date', () => {
  test('ends of months are clamped without drift, leap years included', () => {
    expect(starts({ date: '2027-12-31' }, month, 4)).toEqual([
      '2027-12-31',
      '2028-01-31',
      '2028-02-29',
      '2028-03-31',
    ])
    expect(starts({ date: '2026-02-28', day: 30 }, month, 3)).toEqual([
      '2026-02-28',
      '2026-03-30',
      '2026-04-30',
    ])
    expect(starts({ date: '2024-02-29' }, { unit: 'year', count: 1 }, 5)).toEqual([
      '2024-02-29',
      '2025-02-28',
      '2026-02-28',
      '2027-02-28',
      '2028-02-29',
    ])
  })

  test('weeks, quarters and intervals of one’s own are counted from the anchor, before it too', () => {
    expect(starts({ date: '2026-11-04' }, { unit: 'week', count: 2 }, 3)).toEqual([
      '2026-11-04',
      '2026-11-18',
      '2026-12-02',
    ])
    expect(starts({ date: '2026-11-30' }, { unit: 'month', count: 3 }, 3)).toEqual([
      '2026-11-30',
      '2027-02-28',
      '2027-05-30',
    ])
    expect(datedPeriodAt('2026-10-31', { date: '2026-11-30' }, { unit: 'month', count: 3 })).toEqual({
      start: '2026-08-30',
      end: '2026-11-30',
    })
    expect(starts({ date: '2026-11-04' }, { unit: 'day', count: 10 }, 2)).toEqual([
      '2026-11-04',
      '2026-11-14',
    ])
  })

  test('a calendar’s weeks begin on Monday, its months, quarters and years on the first', () => {
    const anchor: Anchor = { date: '2026-11-18', alignment: 'calendar' }
    const periodOn = (interval: Interval) => datedPeriodAt('2026-11-18', anchor, interval)
    expect(periodOn({ unit: 'week', count: 1 })).toEqual({ start: '2026-11-16', end: '2026-11-23' })
    expect(periodOn(month)).toEqual({ start: '2026-11-01', end: '2026-12-01' })
    expect(periodOn({ unit: 'month', count: 3 })).toEqual({ start: '2026-10-01', end: '2027-01-01' })
    expect(periodOn({ unit: 'year', count: 1 })).toEqual({ start: '2026-01-01', end: '2027-01-01' })
  })
})

describe('boundaries by instant', () => {
  test('zones off by half and quarter hours begin their days there', () => {
    const periodIn = (zone: string) =>
      periodAt(at('2026-11-15T00:00:00Z'), { date: '2026-11-01' }, month, zone)
    expect(formatInstant(periodIn('Asia/Kolkata').start)).toBe('2026-10-31T18:30:00.000000Z')
    expect(formatInstant(periodIn('Asia/Kathmandu').start)).toBe('2026-10-31T18:15:00.000000Z')
  })

  test('a day whose midnight is skipped begins when its clocks do', () => {
    // Clocks in Beirut went from 00:00 to 01:00 on 31 March 2024.
    const period = periodAt(
      at('2024-03-31T12:00:00Z'),
      { date: '2024-03-31' },
      { unit: 'day', count: 1 },
      'Asia/Beirut',
    )
    expect(formatInstant(period.start)).toBe('2024-03-30T22:00:00.000000Z')
    expect(period.end - period.start).toBe(23 * 3_600_000_000)
  })

  test('a day that a zone never had is no period', () => {
    // Apia crossed the date line: 29 December 2011 was followed by the 31st.
    const zone = 'Pacific/Apia'
    const day: Interval = { unit: 'day', count: 1 }
    const last = periodAt(startOfDay('2011-12-29', zone), { date: '2011-12-01' }, day, zone)
    const next = periodAt(last.end, { date: '2011-12-01' }, day, zone)
    expect(localDateOf(next.start, zone)).toBe('2011-12-31')
    expect(next.end - next.start).toBe(24 * 3_600_000_000)
  })
})

test('periods follow each other without gap or overlap, and contain what they are asked for', () => {
  const units = fc.constantFrom<Interval['unit']>('day', 'week', 'month', 'year')
  const zones = fc.constantFrom(
    'UTC',
    'Asia/Kathmandu',
    'America/St_Johns',
    'Africa/Cairo',
    'America/Sao_Paulo',
    'Pacific/Chatham',
  )
  const instants = fc.integer({ min: at('1975-01-01T00:00:00Z'), max: at('2090-01-01T00:00:00Z') })
  const anchors = fc.record({
    date: fc.integer({ min: 0, max: 30_000 }).map((days) => addDays('1990-01-01', days)),
    day: fc.integer({ min: 1, max: 31 }),
    alignment: fc.constantFrom<'anchor' | 'calendar'>('anchor', 'calendar'),
  })
  fc.assert(
    fc.property(
      instants,
      anchors,
      units,
      fc.integer({ min: 1, max: 14 }),
      zones,
      (instant, anchor, unit, count, zone) => {
        const interval = { unit, count }
        const period = periodAt(instant, anchor, interval, zone)
        expect(period.start <= instant && instant < period.end).toBe(true)
        expect(periodAt(period.start, anchor, interval, zone)).toEqual(period)
        expect(periodAt(period.end - 1, anchor, interval, zone)).toEqual(period)
        expect(periodAt(period.end, anchor, interval, zone).start).toBe(period.end)
        const index = periodIndexOf(localDateOf(instant, zone), anchor, interval)
        expect(boundaryDate(anchor, interval, index) < boundaryDate(anchor, interval, index + 1)).toBe(true)
      },
    ),
  )
})

test('dates and zones that do not exist are told apart', () => {
  expect(['2026-02-28', '2024-02-29'].every(isLocalDate)).toBe(true)
  expect(
    ['2026-02-29', '2026-13-01', '2026-1-1', '', '2026-02-28T00:00:00Z', '0000-01-01'].some(isLocalDate),
  ).toBe(false)
  expect(isTimeZone('Asia/Kathmandu')).toBe(true)
  expect(isTimeZone('Atlantis/Central')).toBe(false)
  expect(daysBetween('2024-02-28', '2024-03-01')).toBe(2)
})
