import { expect, test } from 'vitest'
import { inRanges, rangesBetween } from './cut-range.ts'

const entry = (partition: number, offset: bigint, log = 1) => ({ log, partition, offset })

test('ranges lie between two cuts; a partition that the earlier one does not name begins at zero', () => {
  expect(
    rangesBetween([entry(0, 5n), entry(1, 7n)], [entry(0, 5n), entry(1, 9n), entry(2, 1n), entry(0, 2n, 2)]),
  ).toEqual([
    { log: 1, partition: 1, from: 7n, to: 9n },
    { log: 1, partition: 2, from: 0n, to: 1n },
    { log: 2, partition: 0, from: 0n, to: 2n },
  ])
})

test('no ranges hold nothing', () => {
  expect(inRanges([])).toBe('false')
  expect(inRanges(rangesBetween([], [entry(3, 2n)]))).toBe(
    '((log = 1 AND partition = 3 AND offset >= 0 AND offset < 2))',
  )
})
