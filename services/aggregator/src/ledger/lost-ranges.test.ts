import { expect, it } from 'vitest'
import { countLost, passLost } from './lost-ranges.ts'

const ranges = [
  { first: 10n, last: 19n },
  { first: 15n, last: 24n },
  { first: 25n, last: 25n },
  { first: 40n, last: 49n },
]

it('passes through ranges that touch or overlap, as far as they reach', () => {
  expect(passLost(9n, ranges)).toBe(9n)
  expect(passLost(10n, ranges)).toBe(26n)
  expect(passLost(45n, ranges)).toBe(50n)
  expect(passLost(10n, ranges, 17n)).toBe(17n)
  expect(passLost(26n, ranges)).toBe(26n)
})

it('counts an offset once, whatever ranges name it', () => {
  expect(countLost(0n, 100n, ranges)).toBe(26n)
  expect(countLost(0n, 18n, ranges)).toBe(8n)
  expect(countLost(20n, 45n, ranges)).toBe(11n)
  expect(countLost(60n, 100n, ranges)).toBe(0n)
  expect(countLost(0n, 5n, ranges)).toBe(0n)
})
