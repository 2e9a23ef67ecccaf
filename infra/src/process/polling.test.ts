import { expect, test, vi } from 'vitest'
import { createPolling } from './polling.ts'

test('the first look is over when it has started; a stop waits for the one under way and looks no more', async () => {
  let looks = 0
  let held: PromiseWithResolvers<void> | undefined
  const polling = createPolling(1, async () => {
    looks += 1
    await held?.promise
  })
  await polling.start()
  expect(looks).toBe(1)
  held = Promise.withResolvers()
  await vi.waitFor(() => expect(looks).toBeGreaterThan(1))
  const before = looks
  let isStopped = false
  const stopping = Promise.resolve(polling.stop()).then(() => {
    isStopped = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isStopped).toBe(false)
  held.resolve()
  await stopping
  expect(looks).toBe(before)
})
