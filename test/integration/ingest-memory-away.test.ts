import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { provisionInstallation } from '@tidemark/infra/installation/provision.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import type { RedisClient } from '@tidemark/infra/redis/client.ts'
import { recordFile } from '@tidemark/infra/stack/places.ts'
import { freePorts, type StackPorts } from '@tidemark/infra/stack/ports.ts'
import { killAndWait, readRecord } from '@tidemark/infra/stack/process-record.ts'
import type { ServerName } from '@tidemark/infra/stack/server.ts'
import { type Stack, startStack } from '@tidemark/infra/stack/start-stack.ts'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { type Installation, installOn, type TestTenant } from '../installation.ts'
import { pauseProcess } from '../pause-process.ts'
import { type ServiceProcess, startService } from '../service-processes.ts'
import { openKafka, postEvents, readUsageEvents, sampleEvent, soon } from './ingest-room.ts'
import { counts, openRedis, rememberedKey, switchMemory, untilRemembering } from './memory-room.ts'

// A broker and a Redis of this file's own: what happens to them must not happen to the other tests.
let dir: string
let ports: StackPorts
let broker: Stack
let store: Stack
let installation: Installation
let acme: TestTenant
let ingest: ServiceProcess
let redis: RedisClient
let kafka: KafkaClient

const sendTimeoutMs = 2_000

async function startOwn(server: ServerName): Promise<Stack> {
  const { KAFKA_BROKERS: _broker, REDIS_URL: _redis, ...env } = process.env
  return startStack({ dir: join(dir, server), ports, servers: [server], env })
}

async function pidOf(server: ServerName) {
  const record = await readRecord(recordFile(join(dir, server), server))
  if (record === undefined) throw new Error(`no ${server} runs in ${dir}`)
  return record
}

async function startIngest(): Promise<void> {
  const { postgres: port } = await freePorts()
  const settings = { INGEST_LIMITS_POLL_MS: '100', INGEST_SEND_TIMEOUT_MS: String(sendTimeoutMs) }
  const env = { ...installation.env, ...settings }
  ingest = await startService({ name: 'ingest', port, env, logDirectory: join(dir, 'logs') })
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-memory-'))
  ports = await freePorts()
  ;[broker, store] = await Promise.all([startOwn('kafka'), startOwn('redis')])
  const own = {
    KAFKA_BROKERS: broker.environment.KAFKA_BROKERS ?? '',
    REDIS_URL: store.environment.REDIS_URL ?? '',
  }
  installation = await installOn({ ...inject('stackEnvironment'), ...own }, 'memaway')
  kafka = openKafka(installation.env)
  redis = openRedis(installation.env)
  acme = await installation.createTenant('acme')
  await switchMemory(installation, 'acme', true)
  await startIngest()
})

afterAll(async () => {
  await ingest?.stop()
  redis?.disconnect()
  await kafka?.disconnect()
  await installation?.remove()
  await broker?.stop()
  await store?.stop()
  await rm(dir, { recursive: true, force: true })
})

const post = (event: unknown) => postEvents(ingest.url, event, { key: acme.key })
const keyOf = (event: Record<string, unknown>) => rememberedKey(redis, installation, acme, event)
const copiesOf = async (id: unknown): Promise<number> =>
  (await readUsageEvents(kafka, installation.prefix)).filter((event) => event.id === id).length

/** Accepted, and remembered since. */
async function acknowledged() {
  const event = sampleEvent()
  expect(await post(event)).toMatchObject(counts(1, 0))
  await vi.waitFor(async () => expect(await keyOf(event)).toBeDefined(), soon)
  return event
}

/** Sends events one after another; the statuses, and how long the median answer took. */
async function sendMany(events: number) {
  const statuses = new Set<number>()
  const times: number[] = []
  for (let sent = 0; sent < events; sent += 1) {
    const from = performance.now()
    statuses.add((await post(sampleEvent())).status)
    times.push(performance.now() - from)
  }
  times.sort((a, b) => a - b)
  return { statuses: [...statuses], medianMs: times[times.length >> 1] ?? 0 }
}

test('nothing is remembered before the acknowledgement, however long that takes, nor without it', async () => {
  await untilRemembering(ingest.url, acme)
  const event = sampleEvent()
  const { pid } = await pidOf('kafka')
  await pauseProcess(pid)
  try {
    let isPending = true
    const pending = post(event).finally(() => {
      isPending = false
    })
    while (isPending) expect(await keyOf(event)).toBeUndefined()
    expect(await pending).toMatchObject({ status: 503, body: { code: 'kafka_unavailable' } })
    expect(await keyOf(event)).toBeUndefined()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await vi.waitFor(async () => expect(await post(event)).toMatchObject(counts(1, 0)), soon)
  expect(await copiesOf(event.id)).toBeGreaterThanOrEqual(1)
  await vi.waitFor(async () => expect(await post(event)).toMatchObject(counts(0, 1)), soon)
})

test('ingest killed with -9 between acknowledgement and memory: the repeat is published, and the log decides', async () => {
  const event = sampleEvent()
  // Redis holds all scripts back: what is acknowledged now is not remembered yet.
  await redis.call('CLIENT', 'PAUSE', '60000', 'WRITE')
  expect(await post(event)).toMatchObject(counts(1, 0))
  await ingest.stop('SIGKILL')
  // Otherwise Redis may carry out, at its leisure, what a dead client has sent.
  await vi.waitFor(async () => expect(await redis.client('LIST')).not.toContain('tidemark-memory'), soon)
  await redis.call('CLIENT', 'UNPAUSE')
  await startIngest()
  expect(await keyOf(event)).toBeUndefined()
  expect(await post(event)).toMatchObject(counts(1, 0))
  await vi.waitFor(async () => expect(await post(event)).toMatchObject(counts(0, 1)), soon)
  expect(await copiesOf(event.id)).toBeGreaterThanOrEqual(2)
})

test('an emptied Redis makes repeats accepted again, and is filled again', async () => {
  const event = await acknowledged()
  await redis.flushall()
  expect(await post(event)).toMatchObject(counts(1, 0))
  await vi.waitFor(async () => expect(await post(event)).toMatchObject(counts(0, 1)), soon)
  expect(await copiesOf(event.id)).toBeGreaterThanOrEqual(2)
})

test('a Redis that hangs delays one moment by milliseconds, and every answer stays 202', async () => {
  const event = await acknowledged()
  const { pid } = await pidOf('redis')
  await pauseProcess(pid)
  try {
    const { statuses, medianMs } = await sendMany(200)
    expect(statuses).toEqual([202])
    // Five milliseconds are not for a busy machine to show; without a bound it would be the second after which a
    // connection is given up.
    expect(medianMs).toBeLessThan(500)
    expect(await post(event)).toMatchObject(counts(1, 0))
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await vi.waitFor(async () => expect(await post(event)).toMatchObject(counts(0, 1)), soon)
})

test('without Redis every answer stays 202, and with it again repeats are duplicates again', async () => {
  const event = await acknowledged()
  await killAndWait(await pidOf('redis'))
  const { statuses } = await sendMany(50)
  expect(statuses).toEqual([202])
  expect(await post(event)).toMatchObject(counts(1, 0))
  await store.stop()
  store = await startOwn('redis')
  await untilRemembering(ingest.url, acme)
})

// Last: it takes away what the others stand on.
test('of a cluster that is rebuilt from nothing, nothing passes for acknowledged', async () => {
  const event = await acknowledged()
  await vi.waitFor(async () => expect(await post(event)).toMatchObject(counts(0, 1)), soon)
  await ingest.stop()
  await broker.stop()
  await rm(join(dir, 'kafka'), { recursive: true })
  broker = await startOwn('kafka')
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  await provisionInstallation({ env: installation.env, log })
  await startIngest()
  // Redis still has it, and it is asked under another name.
  expect(await keyOf(event)).toBeDefined()
  await untilRemembering(ingest.url, acme)
  expect(await post(event)).toMatchObject(counts(1, 0))
  expect(await copiesOf(event.id)).toBeGreaterThanOrEqual(1)
})
