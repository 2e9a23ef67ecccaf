import { expect, test } from 'vitest'
import { formatInstant, parseInstant } from './instant.ts'
import { type UsageWindow, windowStarts } from './usage-window.ts'

const at = (text: string): number => parseInstant(text) ?? Number.NaN

const startsOf = (start: string, end: string, window: UsageWindow, timeZone: string): string[] | undefined =>
  windowStarts({ start: at(start), end: at(end) }, window, timeZone, 50)?.map((start) =>
    formatInstant(start).replace(':00.000000Z', 'Z'),
  )

test('a range is left whole without a window', () => {
  expect(startsOf('2026-03-01T00:30:00Z', '2026-04-01T00:00:00Z', 'none', 'UTC')).toEqual([
    '2026-03-01T00:30Z',
  ])
})

test('days begin at midnight of the zone, the first with the range', () => {
  expect(startsOf('2026-03-01T12:00:00Z', '2026-03-03T12:00:00Z', 'day', 'Asia/Kolkata')).toEqual([
    '2026-03-01T12:00Z',
    '2026-03-01T18:30Z',
    '2026-03-02T18:30Z',
  ])
})

test('the day on which clocks change has 23 hours', () => {
  expect(startsOf('2026-03-27T23:00:00Z', '2026-03-30T22:00:00Z', 'day', 'Europe/Berlin')).toEqual([
    '2026-03-27T23:00Z',
    '2026-03-28T23:00Z',
    '2026-03-29T22:00Z',
  ])
})

test('months begin at midnight of their first day', () => {
  expect(startsOf('2026-01-31T00:00:00Z', '2026-04-01T00:00:00Z', 'month', 'America/New_York')).toEqual([
    '2026-01-31T00:00Z',
    '2026-02-01T05:00Z',
    '2026-03-01T05:00Z',
  ])
})

test('hours of a zone with half an hour begin at half past', () => {
  expect(startsOf('2026-03-01T00:00:00Z', '2026-03-01T02:00:00Z', 'hour', 'Asia/Kolkata')).toEqual([
    '2026-03-01T00:00Z',
    '2026-03-01T00:30Z',
    '2026-03-01T01:30Z',
  ])
})

test('hours go on where clocks go back by half an hour', () => {
  const starts = startsOf('2026-04-04T13:00:00Z', '2026-04-04T17:00:00Z', 'hour', 'Australia/Lord_Howe')
  expect(starts).toEqual([...(starts ?? [])].sort())
  expect(starts?.length).toBeLessThan(8)
})

test('a boundary that is the end begins no window, and more windows than allowed are refused', () => {
  expect(startsOf('2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', 'day', 'UTC')).toHaveLength(1)
  expect(startsOf('2026-03-01T00:00:00Z', '2026-03-20T00:00:00Z', 'hour', 'UTC')).toBeUndefined()
})

test('an instant of microseconds before a boundary has a window of its own', () => {
  expect(startsOf('2026-03-01T23:59:59.999999Z', '2026-03-02T12:00:00Z', 'day', 'UTC')).toHaveLength(2)
})

test('minutes begin with the clock, whatever the zone', () => {
  const minutes = (start: string, end: string, zone: string, most = 100) =>
    windowStarts({ start: at(start), end: at(end) }, 'minute', zone, most)?.map(formatInstant)
  const expected = [
    '2026-11-01T10:00:30.000000Z',
    '2026-11-01T10:01:00.000000Z',
    '2026-11-01T10:02:00.000000Z',
  ]
  for (const zone of ['UTC', 'Asia/Kathmandu'])
    expect(minutes('2026-11-01T10:00:30Z', '2026-11-01T10:03:00Z', zone)).toEqual(expected)
  expect(minutes('2026-11-01T10:00:30Z', '2026-11-01T10:03:00Z', 'UTC', 2)).toBeUndefined()
  expect(minutes('2026-11-01T10:00:30Z', '2026-11-01T10:00:40Z', 'UTC')).toHaveLength(1)
})
