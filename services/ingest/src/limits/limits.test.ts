import { expect, test } from 'vitest'
import { createBucket } from './bucket.ts'
import { createLimits } from './limits.ts'

const none = { eventsPerSecond: null, bytesPerSecond: null }
const caller = { tenant: 'acme', keyId: 'k1' }

function createRoom() {
  const opened: string[] = []
  const refused: string[] = []
  const limits = createLimits(
    (name, rate) => {
      opened.push(`${name} ${rate}`)
      let used = 0
      const takeLease = async (amount: number) => {
        used += amount
        return { used, windowMs: 1_000 }
      }
      return createBucket(rate, takeLease, () => 0)
    },
    (limit) => refused.push(limit),
  )
  const send = async (events: number, bytes = 0) => limits.admit(caller, { events, bytes })
  return { limits, send, opened, refused }
}

test('a caller without a limit is admitted at once, without headers', () => {
  const { limits } = createRoom()
  limits.replace([{ tenant: 'other', keyId: null, eventsPerSecond: 1, bytesPerSecond: 1 }])
  expect(limits.admit(caller, { events: 5_000, bytes: 5_000_000 })).toBeUndefined()
  expect(limits.headers(caller)).toBeUndefined()
})

test('the limit that is reached is named, with what remains of all', async () => {
  const { limits, send, refused } = createRoom()
  limits.replace([
    { tenant: 'acme', keyId: null, eventsPerSecond: 10, bytesPerSecond: null },
    { tenant: 'acme', keyId: 'k1', eventsPerSecond: null, bytesPerSecond: 100 },
  ])
  await send(10, 100)
  await expect(send(1, 1)).rejects.toMatchObject({
    status: 429,
    code: 'rate_limited',
    extensions: { limit: 'key-bytes' },
    headers: {
      'retry-after': '1',
      'ratelimit-policy': '"key-bytes";q=100;w=1;qu="content-bytes", "tenant-events";q=10;w=1;qu="events"',
      ratelimit: '"key-bytes";r=0;t=1, "tenant-events";r=0;t=1',
    },
  })
  expect(() => limits.refuseExhausted(caller)).toThrow('API key')
  expect(() => limits.refuseExhausted({ ...caller, keyId: 'k2' })).not.toThrow()
  expect(refused).toEqual(['key-bytes', 'key-bytes'])
})

test('what one limit refuses, the others keep', async () => {
  const { limits, send } = createRoom()
  limits.replace([
    { tenant: 'acme', keyId: 'k1', eventsPerSecond: 10, bytesPerSecond: null },
    { tenant: 'acme', keyId: null, eventsPerSecond: 1, bytesPerSecond: null },
  ])
  await send(1)
  for (let request = 0; request < 5; request++)
    await expect(send(1)).rejects.toMatchObject({
      extensions: { limit: 'tenant-events' },
    })
  expect(limits.headers(caller)?.ratelimit).toBe('"key-events";r=9;t=1, "tenant-events";r=0;t=1')
})

test('a poll that finds nothing new lets the counts go on; a changed or lifted limit holds at once', async () => {
  const { limits, send, opened } = createRoom()
  const limit = { tenant: 'acme', keyId: null, eventsPerSecond: 1, bytesPerSecond: null }
  limits.replace([limit])
  await send(1)
  limits.replace([{ ...limit }])
  await expect(send(1)).rejects.toMatchObject({ status: 429 })
  limits.replace([{ ...limit, eventsPerSecond: 2 }])
  await send(1)
  expect(opened).toEqual(['tenant:acme:events 1', 'tenant:acme:events 2'])
  limits.replace([{ ...limit, ...none }])
  expect(limits.admit(caller, { events: 1_000, bytes: 0 })).toBeUndefined()
})
