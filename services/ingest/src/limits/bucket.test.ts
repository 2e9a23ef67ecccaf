import { expect, test } from 'vitest'
import { createBucket } from './bucket.ts'

/** A window as Redis keeps it, on a clock that moves only when it is told to. */
function createWindow(rate: number) {
  const state = { now: 1_000, asked: 0, used: 0, until: 0 }
  async function takeLease(amount: number) {
    state.asked += 1
    if (state.now >= state.until) Object.assign(state, { used: 0, until: state.now + 1_000 })
    const before = state.used
    state.used += amount
    if (before < rate && state.used > rate) state.until += Math.ceil(((state.used - rate) * 1_000) / rate)
    return { used: state.used, windowMs: state.until - state.now }
  }
  const open = () => createBucket(rate, takeLease, () => state.now)
  return { state, open, bucket: open() }
}

test('the rate is granted, with a question for one request in many', async () => {
  const { state, bucket } = createWindow(1_000)
  let granted = 0
  for (let request = 0; request < 3_000; request++) if (await bucket.take(1)) granted += 1
  expect(granted).toBe(1_000)
  expect(state.asked).toBeLessThanOrEqual(21)
  state.now += 1_000
  expect(await bucket.take(1)).toBe(true)
})

test('processes that share a window share its rate', async () => {
  const { open } = createWindow(100)
  const [one, other] = [open(), open()]
  let granted = 0
  for (let request = 0; request < 200; request++)
    for (const bucket of [one, other]) if (await bucket.take(1)) granted += 1
  expect(granted).toBeGreaterThan(95)
  expect(granted).toBeLessThanOrEqual(100)
})

test('a request larger than the rate is granted once, and paid for before the next', async () => {
  const { state, bucket } = createWindow(10)
  expect(await bucket.take(50)).toBe(true)
  expect(await bucket.take(1)).toBe(false)
  expect(bucket.msUntilNext()).toBe(5_000)
  state.now += 4_999
  expect(bucket.take(1)).toBe(false)
  state.now += 1
  expect(await bucket.take(1)).toBe(true)
})

test('whatever the size of the requests, the rate holds over time', async () => {
  for (const size of [1, 7, 60, 99, 250]) {
    const { state, bucket } = createWindow(100)
    let granted = 0
    for (; state.now < 101_000; state.now += 10) if (await bucket.take(size)) granted += size
    expect(granted).toBeGreaterThan(9_000)
    // The last window may have begun just before the end.
    expect(granted).toBeLessThanOrEqual(10_000 + 100 + size)
  }
})

test('after a refusal nothing is asked until the window ends', async () => {
  const { state, bucket } = createWindow(1)
  expect(await bucket.take(1)).toBe(true)
  expect(await bucket.take(1)).toBe(false)
  expect(bucket.isExhausted()).toBe(true)
  const { asked } = state
  for (let request = 0; request < 100; request++) expect(bucket.take(1)).toBe(false)
  expect(state.asked).toBe(asked)
  state.now += 1_000
  expect(bucket.isExhausted()).toBe(false)
})

test('requests that come together wait for one question, not one each', async () => {
  const { state, bucket } = createWindow(1_000)
  const answers = await Promise.all(Array.from({ length: 50 }, () => bucket.take(1)))
  expect(answers.every(Boolean)).toBe(true)
  expect(state.asked).toBe(1)
})

test('what is given back can be taken again', async () => {
  const { bucket } = createWindow(10)
  for (let request = 0; request < 30; request++) {
    expect(await bucket.take(5)).toBe(true)
    bucket.giveBack(5)
  }
  expect(bucket.remaining()).toBe(10)
})
