import { expect, test } from 'vitest'
import {
  add,
  compare,
  decimal,
  divideHalfAwayFromZero,
  formatDecimal,
  multiply,
  parseDecimal,
  round,
  subtract,
} from './decimal.ts'

test('reads plain decimals only', () => {
  expect(parseDecimal('-12.50')).toEqual({ coefficient: -1250n, scale: 2 })
  for (const text of ['', '1e3', '+1', ' 1', '1.', '.5', 'NaN', '0x1', '1,0'])
    expect(parseDecimal(text), text).toBeUndefined()
})

test('prints the shortest plain text', () => {
  expect(formatDecimal(decimal('-0.500'))).toBe('-0.5')
  expect(formatDecimal(decimal('100'))).toBe('100')
  expect(formatDecimal(decimal('-0.00'))).toBe('0')
  expect(formatDecimal(decimal('0.000000001'))).toBe('0.000000001')
})

test('stays exact where a float does not', () => {
  expect(formatDecimal(add(decimal('0.1'), decimal('0.2')))).toBe('0.3')
  const large = '99999999999999999999999999999.999999999'
  expect(formatDecimal(multiply(decimal(large), decimal('1')))).toBe(large)
  expect(formatDecimal(subtract(decimal(large), decimal('0.000000001')))).toBe(
    '99999999999999999999999999999.999999998',
  )
})

test('rounds half away from zero', () => {
  expect(divideHalfAwayFromZero(5n, 2n)).toBe(3n)
  expect(divideHalfAwayFromZero(-5n, 2n)).toBe(-3n)
  expect(divideHalfAwayFromZero(-4n, 3n)).toBe(-1n)
  expect(formatDecimal(round(decimal('2.345'), 2))).toBe('2.35')
  expect(formatDecimal(round(decimal('-2.345'), 2))).toBe('-2.35')
})

test('compares across scales', () => {
  expect(compare(decimal('1.50'), decimal('1.5'))).toBe(0)
  expect(compare(decimal('1.49'), decimal('1.5'))).toBe(-1)
})
