import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { expect, test } from 'vitest'
import { noReadings } from './readings.ts'
import {
  boundsOf,
  cellsOf,
  checkAllRead,
  checkReadAgain,
  clipAll,
  indexUsage,
  sumOf,
  type UsageCell,
} from './usage.ts'

const period = { start: 100, end: 200 }
const mapping = (subject: string, from: number, to: number) => ({ subject, customer: 'c', from, to })
const cell = (subject: string, segment: number, quantity: string, matched = true): UsageCell => ({
  subject,
  segment,
  matched,
  values: [],
  count: 1n,
  hash: 2n ** 127n,
  unreadable: 0n,
  readings: { ...noReadings, sum: decimal(quantity) },
})

test('mappings are clipped to the period and stand in one order', () => {
  const mappings = [
    mapping('b', 150, Infinity),
    mapping('a', -Infinity, 120),
    mapping('a', 300, 400),
    mapping('c', 0, 100),
  ]
  expect(clipAll(mappings, period)).toEqual([mapping('a', 100, 120), mapping('b', 150, 200)])
})

test('usage is what lies in the segments of a mapping, and counts by what the meter matches', () => {
  const mappings = [mapping('a', 100, 120), mapping('b', 150, 200)]
  const bounds = boundsOf(mappings, period)
  expect(bounds).toEqual([100, 120, 150, 200])
  const index = indexUsage(
    [
      cell('a', 1, '1.5'),
      cell('a', 2, '100'),
      cell('a', 1, '100', false),
      cell('b', 2, '100'),
      cell('b', 3, '0.25'),
      cell('z', 1, '100'),
    ],
    bounds,
  )
  const used = sumOf(cellsOf(mappings, index))
  expect(formatDecimal(used.readings.sum)).toBe('1.75')
  expect(used).toMatchObject({ count: 2n, hash: 0n })
})

test('reading fewer or other events than the ledger accepted stops', () => {
  const cells = [cell('a', 1, '1'), cell('z', 0, '1', false)]
  expect(() => checkAllRead('t', cells, { count: 2n, hash: 0n })).not.toThrow()
  expect(() => checkAllRead('t', cells, { count: 3n, hash: 0n })).toThrow('2 events')
  expect(() => checkAllRead('t', cells, { count: 2n, hash: 1n })).toThrow('ledger accepted')
})

test('a subject that is read again in parts has to come to what was proved', () => {
  const proved = indexUsage([cell('a', 1, '1'), cell('a', 1, '2'), cell('a', 0, '9')], [100, 200])
  const parts = (...cells: UsageCell[]) => indexUsage(cells, [100, 150, 200])
  const again = parts(cell('a', 1, '1'), cell('a', 2, '2'))
  expect(() => checkReadAgain('a', period, proved, again)).not.toThrow()
  expect(() => checkReadAgain('a', period, proved, parts(cell('a', 1, '1')))).toThrow('1 events of subject')
})
