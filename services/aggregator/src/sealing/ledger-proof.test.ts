import { expect, test } from 'vitest'
import { lostWithin, mergeLost } from './ledger-proof.ts'

const lost = (first: bigint, last: bigint, partition = 0) => ({ log: 1, partition, first, last })

test('overlapping, touching and contained ranges are one', () => {
  expect(
    mergeLost([lost(1n, 5n), lost(3n, 7n), lost(4n, 4n), lost(8n, 9n), lost(11n, 12n), lost(1n, 2n, 1)]),
  ).toEqual([lost(1n, 9n), lost(11n, 12n), lost(1n, 2n, 1)])
})

test('only what lies within the range counts', () => {
  const range = { log: 1, partition: 0, from: 5n, to: 10n }
  expect(lostWithin(range, [lost(0n, 4n)])).toBe(0n)
  expect(lostWithin(range, [lost(0n, 5n), lost(9n, 20n)])).toBe(2n)
  expect(lostWithin(range, [lost(0n, 20n)])).toBe(5n)
  expect(lostWithin(range, [lost(10n, 20n), lost(5n, 9n, 1)])).toBe(0n)
})
