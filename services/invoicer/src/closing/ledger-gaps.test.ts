import { expect, test } from 'vitest'
import { uncovered } from './ledger-gaps.ts'

const range = (first: bigint, last: bigint, partition = 0) => ({ log: 1, partition, first, last })

test('a gap is forgiven only where lost ranges cover all of it', () => {
  expect(uncovered([range(5n, 9n)], [])).toEqual(range(5n, 9n))
  expect(uncovered([range(5n, 9n)], [range(7n, 20n), range(0n, 6n)])).toBeUndefined()
  expect(uncovered([range(5n, 9n)], [range(0n, 6n), range(8n, 9n)])).toEqual(range(7n, 9n))
  expect(uncovered([range(5n, 9n)], [range(0n, 20n, 1)])).toEqual(range(5n, 9n))
  expect(uncovered([range(1n, 1n), range(5n, 5n)], [range(1n, 1n)])).toEqual(range(5n, 5n))
})
