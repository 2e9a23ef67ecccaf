import { expect, test } from 'vitest'
import { assertContiguous, assertWithinLog } from './offset-check.ts'

const place = { topic: 'usage.events.1', partition: 3 }
const offsets = (...values: number[]) => values.map((offset) => ({ offset: String(offset) }))

test('offsets that follow one another pass, also one and none', () => {
  assertContiguous(place, offsets(7, 8, 9))
  assertContiguous(place, offsets(7))
  assertContiguous(place, [])
})

test('a hole inside a batch is named with its place', () => {
  expect(() => assertContiguous(place, offsets(7, 8, 10, 11))).toThrow(
    /usage\.events\.1\/3: expected offset 9 but found 10: 1 records/,
  )
})

test('a place may be anywhere from the first offset to the end', () => {
  assertWithinLog(place, 5n, { earliest: 5n, end: 9n })
  assertWithinLog(place, 9n, { earliest: 5n, end: 9n })
})

test('a place before the first offset is a gap, one beyond the end is another log', () => {
  const check = (expected: bigint) => () => assertWithinLog(place, expected, { earliest: 5n, end: 9n })
  expect(check(4n)).toThrow(expect.objectContaining({ code: 'offset_gap', retryable: false }))
  expect(check(10n)).toThrow(expect.objectContaining({ code: 'log_rewound', retryable: false }))
})
