import { expect, test } from 'vitest'
import { decimal, formatDecimal } from './decimal.ts'
import { type QuantityRounding, roundQuantity } from './quantity-rounding.ts'

test.each<[string, QuantityRounding['mode'], number, string]>([
  ['123.456', 'round', 2, '123.46'],
  ['123.456', 'round', 0, '123'],
  ['-123.455', 'round', 2, '-123.46'],
  ['150', 'round', -2, '200'],
  ['149.999999999', 'round', -2, '100'],
  ['123.456', 'ceil', 2, '123.46'],
  ['123.456', 'ceil', 0, '124'],
  ['-123.456', 'ceil', 0, '-123'],
  ['100', 'ceil', -2, '100'],
  ['100.000000001', 'ceil', -2, '200'],
  ['123.456', 'floor', 2, '123.45'],
  ['123.456', 'floor', -2, '100'],
  ['-0.5', 'floor', 0, '-1'],
  ['5', 'floor', 2, '5'],
  ['12345678901234567890123456789.123456789', 'floor', 8, '12345678901234567890123456789.12345678'],
])('%s by %s to %i is %s', (value, mode, precision, expected) => {
  expect(formatDecimal(roundQuantity(decimal(value), { mode, precision }))).toBe(expected)
})

test('without a rounding the quantity stays', () => {
  expect(formatDecimal(roundQuantity(decimal('0.000000001'), undefined))).toBe('0.000000001')
})
