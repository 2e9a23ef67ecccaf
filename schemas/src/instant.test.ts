import { expect, test } from 'vitest'
import {
  formatClickHouseInstant,
  formatInstant,
  hourOf,
  parseClickHouseInstant,
  parseInstant,
} from './instant.ts'

test('keeps the microsecond and turns every zone into UTC', () => {
  const micros = parseInstant('2026-11-01T05:30:00.123456+05:30')
  expect(micros).toBe(Date.UTC(2026, 10, 1) * 1000 + 123_456)
  expect(formatInstant(micros ?? 0)).toBe('2026-11-01T00:00:00.123456Z')
  expect(parseInstant('2026-11-01T00:00:00.1239999Z')).toBe(Date.UTC(2026, 10, 1) * 1000 + 123_999)
})

test('refuses what is no instant', () => {
  for (const text of [
    '2026-11-01',
    '2026-11-01T00:00:00',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00+25:00',
    '0026-01-01T00:00:00Z',
    '9999-12-31T23:59:59-12:00',
    // The nearest number is the first instant of the year 10000.
    '9999-12-31T23:59:59.999999Z',
  ])
    expect(parseInstant(text), text).toBeUndefined()
})

test('ClickHouse text goes both ways', () => {
  const micros = parseInstant('2026-11-01T23:59:59.999999Z') ?? 0
  expect(formatClickHouseInstant(micros)).toBe('2026-11-01 23:59:59.999999')
  expect(parseClickHouseInstant('2026-11-01 23:59:59.999999')).toBe(micros)
  expect(formatInstant(hourOf(micros))).toBe('2026-11-01T23:00:00.000000Z')
})
