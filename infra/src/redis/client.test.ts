import { expect, test } from 'vitest'
import { createLog } from '../process/log.ts'
import { asRedisFailure, createRedis, pingRedis, reconnectDelayMs } from './client.ts'

test('a server that is not there fails the command in bounded time and is logged once', async () => {
  const lines: string[] = []
  const log = createLog({
    service: 'trial',
    level: 'warn',
    pretty: false,
    destination: { write: (line) => void lines.push(line) },
  })
  // Port 1 is refused at once.
  const redis = createRedis({ url: 'redis://127.0.0.1:1', prefix: 't-', applicationName: 'trial', log })
  await expect(pingRedis(redis)).rejects.toMatchObject({ code: 'redis_unreachable', retryable: true })
  redis.disconnect()
  expect(lines).toHaveLength(1)
})

test('what the server answers is final', () => {
  const reply = Object.assign(new Error('WRONGTYPE'), { name: 'ReplyError' })
  expect(asRedisFailure(reply)).toMatchObject({ code: 'redis_refused', retryable: false })
})

test('reconnecting slows down to two seconds', () => {
  expect(reconnectDelayMs(1)).toBeLessThanOrEqual(100)
  expect(reconnectDelayMs(1_000)).toBeLessThanOrEqual(2_000)
  expect(reconnectDelayMs(1_000)).toBeGreaterThanOrEqual(1_000)
})
