import { expect, test } from 'vitest'
import { retryDelayMs } from './delays.ts'

test('waits double from the least to the longest and never leave that range', () => {
  const delays = { minMs: 100, maxMs: 1_000 }
  expect([0, 1, 2, 3, 4, 5, 1_000_000].map((tries) => retryDelayMs(tries, delays))).toEqual([
    100, 100, 200, 400, 800, 1_000, 1_000,
  ])
})
