import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSharedReading } from './shared-reading.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function counting() {
  let reads = 0
  const before: (number | undefined)[] = []
  return {
    before,
    async read(last?: number) {
      before.push(last)
      reads += 1
      return reads
    },
  }
}

test('what is asked within a moment is read once, and anew for another key', async () => {
  const ask = createSharedReading<number>(100, 2)
  const { read } = counting()
  expect(await Promise.all([ask('a', read), ask('a', read), ask('b', read)])).toEqual([1, 1, 2])
})

test('the next answer is read before the one at hand is too old, and nobody waits for it', async () => {
  const ask = createSharedReading<number>(100, 2)
  const { read, before } = counting()
  await ask('a', read)
  vi.advanceTimersByTime(60)
  expect(await ask('a', read)).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(await ask('a', read)).toBe(2)
  vi.advanceTimersByTime(500)
  expect(await ask('a', read)).toBe(3)
  expect(before).toEqual([undefined, 1, 2])
})

test('a reading that fails is told to whoever waits for it, and is forgotten', async () => {
  const ask = createSharedReading<number>(100, 2)
  const fail = async () => Promise.reject(new Error('away'))
  await expect(ask('a', fail)).rejects.toThrow('away')
  const { read } = counting()
  expect(await ask('a', read)).toBe(1)
  vi.advanceTimersByTime(60)
  expect(await ask('a', fail)).toBe(1)
  expect(await ask('a', read)).toBe(1)
})

test('with no time to be fresh everyone reads', async () => {
  const ask = createSharedReading<number>(0, 2)
  const { read } = counting()
  expect([await ask('a', read), await ask('a', read)]).toEqual([1, 2])
})
