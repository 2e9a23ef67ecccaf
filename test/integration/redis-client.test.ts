import { randomBytes } from 'node:crypto'
import { createLog } from '@tidemark/infra/process/log.ts'
import { asRedisFailure, createRedis, pingRedis } from '@tidemark/infra/redis/client.ts'
import { afterAll, expect, inject, test } from 'vitest'

const url = inject('stackEnvironment').REDIS_URL ?? ''
const log = createLog({ service: 'test', level: 'silent', pretty: false })
const open = (prefix: string) => createRedis({ url, prefix, applicationName: 'test', log })
const [one, other] = [open(`${randomBytes(4).toString('hex')}-`), open(`${randomBytes(4).toString('hex')}-`)]

afterAll(async () => {
  await one.del('key')
  one.disconnect()
  other.disconnect()
})

test('installations with different prefixes never meet', async () => {
  await pingRedis(one)
  await one.set('key', 'value')
  expect(await one.get('key')).toBe('value')
  expect(await other.get('key')).toBeNull()
})

test('a refusal of the server is final', async () => {
  const refusal = await one.lpush('key', 'x').catch(asRedisFailure)
  expect(refusal).toMatchObject({ code: 'redis_refused', retryable: false })
})
