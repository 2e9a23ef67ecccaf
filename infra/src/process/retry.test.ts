import { expect, test } from 'vitest'
import { Failure } from './failure.ts'
import { retry } from './retry.ts'

const busy = new Failure('busy', { code: 'busy', retryable: true })
const quick = { attempts: 3, minDelayMs: 1, maxDelayMs: 5 }

test('a retryable failure is tried again until it succeeds', async () => {
  const retried: number[] = []
  const result = await retry(
    async (attempt) => {
      if (attempt < 3) throw busy
      return attempt
    },
    { ...quick, onRetry: (_failure, attempt) => void retried.push(attempt) },
  )
  expect(result).toBe(3)
  expect(retried).toEqual([1, 2])
})

test('the attempts are bounded and the last failure comes out', async () => {
  let calls = 0
  const failing = retry(async () => {
    calls += 1
    throw busy
  }, quick)
  await expect(failing).rejects.toBe(busy)
  expect(calls).toBe(3)
})

test.each([
  ['a final failure', new Failure('no', { code: 'refused', retryable: false }), 'refused'],
  ['an unknown error', new Error('?'), 'unexpected'],
  ['a programming error', new TypeError('x is undefined'), 'unexpected'],
])('%s is not tried again', async (_name, error, code) => {
  let calls = 0
  const failing = retry(async () => {
    calls += 1
    throw error
  }, quick)
  await expect(failing).rejects.toMatchObject({ code, retryable: false })
  expect(calls).toBe(1)
})

test('a signal ends the waiting with its reason', async () => {
  const controller = new AbortController()
  const stopping = new Error('stopping')
  const failing = retry(() => Promise.reject(busy), {
    attempts: 3,
    minDelayMs: 60_000,
    maxDelayMs: 60_000,
    signal: controller.signal,
    onRetry: () => queueMicrotask(() => queueMicrotask(() => controller.abort(stopping))),
  })
  await expect(failing).rejects.toBe(stopping)
})
