import { expect, test } from 'vitest'
import { withDeadline } from './deadline.ts'

/** A request that only its signal ends, as the client's do: with an error that does not say why. */
const hanging = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('The user aborted a request.')))
  })

test('a request in time passes its result on', async () => {
  await expect(withDeadline(async () => 7, 1_000)).resolves.toBe(7)
})

test('a late one is ended and may be tried again', async () => {
  await expect(withDeadline(hanging, 10)).rejects.toMatchObject({
    code: 'clickhouse_timeout',
    retryable: true,
  })
})

test('one that the caller ends is not tried again, before the start or later', async () => {
  const aborted = { code: 'aborted', retryable: false }
  await expect(withDeadline(hanging, 1_000, AbortSignal.abort())).rejects.toMatchObject(aborted)
  const caller = new AbortController()
  const request = withDeadline(hanging, 1_000, caller.signal)
  caller.abort()
  await expect(request).rejects.toMatchObject(aborted)
})
