import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createRedis } from '@tidemark/infra/redis/client.ts'
import { recordFile } from '@tidemark/infra/stack/places.ts'
import { freePorts, type StackPorts } from '@tidemark/infra/stack/ports.ts'
import { killAndWait, readRecord } from '@tidemark/infra/stack/process-record.ts'
import { type Stack, startStack } from '@tidemark/infra/stack/start-stack.ts'
import { setLimit } from '@tidemark/ingest/limits/limit-store.ts'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { type Installation, installOn, type TestTenant } from '../installation.ts'
import { postEvents, type RunningIngest, sampleEvent, soon, startIngest } from './ingest-room.ts'

// A Redis of this file's own: what happens to it must not happen to the other tests.
let dir: string
let ports: StackPorts
let redis: Stack
let installation: Installation
let tenant: TestTenant
let ingest: RunningIngest

const startOwnRedis = async (): Promise<void> => {
  const { REDIS_URL: _shared, ...env } = process.env
  redis = await startStack({ dir, ports, servers: ['redis'], env })
}

async function redisProcess() {
  const record = await readRecord(recordFile(dir, 'redis'))
  if (record === undefined) throw new Error(`no Redis runs in ${dir}`)
  return record
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-limits-'))
  ports = await freePorts()
  await startOwnRedis()
  const stack = { ...inject('stackEnvironment'), REDIS_URL: redis.environment.REDIS_URL ?? '' }
  installation = await installOn(stack, 'limitsaway')
  tenant = await installation.createTenant('acme')
  const pool = installation.openPool('tidemark_ingest')
  await setLimit(pool, { tenant: 'acme', rates: { eventsPerSecond: 100 } })
  ingest = await startIngest(installation.env, { INGEST_LIMITS_POLL_MS: '100' })
})

afterAll(async () => {
  await ingest?.stop()
  await installation?.remove()
  await redis?.stop()
  await rm(dir, { recursive: true, force: true })
})

const batch = () => Array.from({ length: 10 }, () => sampleEvent())

/** Sends for a time; how long the longest answer took, what was accepted, and the statuses. */
async function hammer(ms: number) {
  const statuses = new Set<number>()
  let [accepted, slowestMs] = [0, 0]
  const from = performance.now()
  while (performance.now() - from < ms) {
    const sent = performance.now()
    const { status } = await postEvents(ingest.url, batch(), { key: tenant.key })
    slowestMs = Math.max(slowestMs, performance.now() - sent)
    statuses.add(status)
    if (status === 202) accepted += 10
  }
  return { accepted, slowestMs, statuses: [...statuses].sort(), seconds: (performance.now() - from) / 1_000 }
}

async function expectLimited(): Promise<void> {
  const { accepted, slowestMs, statuses, seconds } = await hammer(3_000)
  expect(statuses).toEqual([202, 429])
  expect(accepted).toBeGreaterThanOrEqual(100)
  expect(accepted).toBeLessThanOrEqual(100 * (seconds + 1) + 10)
  expect(slowestMs).toBeLessThan(2_000)
}

/** Whether the limit is counted in Redis now. */
async function isCounted(): Promise<boolean> {
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  const url = installation.env.REDIS_URL ?? ''
  const client = createRedis({ url, prefix: '', applicationName: 'test', log })
  await postEvents(ingest.url, batch(), { key: tenant.key })
  const keys = await client.keys(`${installation.prefix}limit:*`)
  client.disconnect()
  return keys.length > 0
}

test('the limit holds with Redis, without it, and with it again', async () => {
  await vi.waitFor(async () => expect(await isCounted()).toBe(true), soon)
  await expectLimited()
  await killAndWait(await redisProcess())
  await expectLimited()
  await redis.stop()
  await startOwnRedis()
  await vi.waitFor(async () => expect(await isCounted()).toBe(true), soon)
  await expectLimited()
  expect(ingest.fatal).toEqual([])
})

test('a Redis that hangs costs a fraction of a second at most, and no answer but 202 and 429', async () => {
  const { pid } = await redisProcess()
  process.kill(pid, 'SIGSTOP')
  try {
    await expectLimited()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
})
