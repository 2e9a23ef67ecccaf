import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decimal } from './decimal.ts'
import { formatMicros, microsOfMinorUnits, minorUnits, parseMicros, roundToMinorUnit } from './money.ts'

test('rounds to the minor unit of the currency, once, half away from zero', () => {
  expect(roundToMinorUnit(decimal('12.345'), 'USD')).toBe(12_350_000n)
  expect(roundToMinorUnit(decimal('-12.345'), 'USD')).toBe(-12_350_000n)
  expect(roundToMinorUnit(decimal('0.5'), 'JPY')).toBe(1_000_000n)
  expect(roundToMinorUnit(decimal('1.0005'), 'KWD')).toBe(1_001_000n)
})

test('minor units go both ways, and fractions of them are refused', () => {
  expect(minorUnits(12_350_000n, 'USD')).toBe(1235n)
  expect(microsOfMinorUnits(1235n, 'KWD')).toBe(1_235_000n)
  expect(() => minorUnits(12_345_678n, 'USD')).toThrow(RangeError)
})

test('text has the decimals of the currency', () => {
  expect(formatMicros(12_500_000n, 'USD')).toBe('12.50')
  expect(formatMicros(-100_000_000n, 'JPY')).toBe('-100')
  expect(formatMicros(1n, 'USD')).toBe('0.000001')
  expect(parseMicros('12.5')).toBe(12_500_000n)
})

test('no money passes through a float', () => {
  const source = readFileSync(new URL('./money.ts', import.meta.url), 'utf8')
  expect(source).not.toMatch(/parseFloat|toFixed|Math\.round/)
})
