import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { provisionInstallation } from '@tidemark/infra/installation/provision.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { deleteTopics } from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import type { RedisClient } from '@tidemark/infra/redis/client.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import {
  openKafka,
  postEvents,
  type RunningIngest,
  readUsageEvents,
  sampleEvent,
  soon,
  startIngest,
} from './ingest-room.ts'
import {
  counts,
  openRedis,
  rememberedKey,
  rememberedKeys,
  switchMemory,
  untilRemembering,
} from './memory-room.ts'

let installation: Installation
let acme: TestTenant
let other: TestTenant
let off: TestTenant
let ingest: RunningIngest
let redis: RedisClient
let kafka: KafkaClient

beforeAll(async () => {
  installation = await createInstallation('memory')
  kafka = openKafka(installation.env)
  redis = openRedis(installation.env)
  acme = await installation.createTenant('acme')
  other = await installation.createTenant('other')
  off = await installation.createTenant('off')
  for (const tenant of ['acme', 'other']) await switchMemory(installation, tenant, true)
  ingest = await startIngest(installation.env, {
    INGEST_LIMITS_POLL_MS: '100',
    // What is tested here is not how fast a busy machine is.
    INGEST_MEMORY_TIMEOUT_MS: '1000',
  })
})

afterAll(async () => {
  await ingest?.stop()
  const keys = redis && (await rememberedKeys(redis, installation))
  if (keys?.length > 0) await redis.unlink(keys)
  redis?.disconnect()
  await kafka?.disconnect()
  await installation?.remove()
})

const post = (body: unknown, { key }: TestTenant = acme, query = '') =>
  postEvents(ingest.url, body, { key, query })

const keyOf = (event: Record<string, unknown>, tenant = acme) =>
  rememberedKey(redis, installation, tenant, event)

/** Accepted, and remembered since. */
async function acknowledged(tenant = acme) {
  const event = sampleEvent()
  expect(await post(event, tenant)).toMatchObject(counts(1, 0))
  await vi.waitFor(async () => expect(await keyOf(event, tenant)).toBeDefined(), soon)
  return event
}

const copiesOf = async (id: unknown): Promise<number> =>
  (await readUsageEvents(kafka, installation.prefix)).filter((event) => event.id === id).length

test('a repeat is answered as a duplicate and not published', async () => {
  const event = await acknowledged()
  const result = { index: 0, id: event.id, status: 'duplicate' }
  const answer = { status: 202, body: { accepted: 0, duplicates: 1, rejected: 0, results: [result] } }
  expect(await post(event)).toMatchObject(answer)
  expect(await post(event, acme, '?results=all')).toMatchObject(answer)
  expect(await copiesOf(event.id)).toBe(1)
})

test('in a batch each event is decided alone, and named where it was not plainly accepted', async () => {
  const known = await acknowledged()
  const fresh = sampleEvent()
  const invalid = sampleEvent({ subject: '' })
  expect(await post([fresh, known, invalid])).toMatchObject({
    ...counts(1, 1, 1),
    body: {
      results: [
        { index: 1, id: known.id, status: 'duplicate' },
        { index: 2, id: invalid.id, status: 'rejected', code: 'attribute_empty' },
      ],
    },
  })
  // Not "all invalid": something of it is in the log.
  expect(await post([known, invalid])).toMatchObject(counts(0, 1, 1))
})

test('another payload is published all the same, with a warning; the first one stays remembered', async () => {
  const event = await acknowledged()
  const changed = { ...event, data: { count: -1 } }
  const warning = { index: 0, id: event.id, status: 'accepted', code: 'possible_conflict' }
  expect(await post(changed)).toMatchObject({ ...counts(1, 0), body: { results: [warning] } })
  expect(await post(changed)).toMatchObject({ ...counts(1, 0), body: { results: [warning] } })
  expect(await post(event)).toMatchObject(counts(0, 1))
  expect(await copiesOf(event.id)).toBe(3)
})

test('corrections pass the memory by, and leave the event that it knows', async () => {
  const event = await acknowledged()
  const { id, source, specversion } = event
  const undo = { specversion, id, source, tidemarkaction: 'void', tidemarkrevision: 1 }
  for (let sent = 0; sent < 2; sent += 1)
    expect(await post(undo)).toMatchObject({ ...counts(1, 0), body: { results: [] } })
  expect(await post(event)).toMatchObject(counts(0, 1))
  expect(await copiesOf(id)).toBe(3)
})

test('tenants do not meet, and who has the memory off leaves nothing in it', async () => {
  const event = await acknowledged()
  expect(await post(event, other)).toMatchObject({ ...counts(1, 0), body: { results: [] } })
  for (let sent = 0; sent < 2; sent += 1) expect(await post(event, off)).toMatchObject(counts(1, 0))
  // What is acknowledged later is remembered by now.
  await acknowledged(other)
  expect(await keyOf(event, other)).toBeDefined()
  expect(await keyOf(event, off)).toBeUndefined()
})

test('OpenMeter’s clients hear success for a duplicate, and it is not published', async () => {
  const event = await acknowledged()
  const response = await fetch(`${ingest.url}/api/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${acme.key}`, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify(event),
  })
  expect(response.status).toBe(204)
  expect(await copiesOf(event.id)).toBe(1)
})

test('validating says nothing of duplicates, and two of one body are for the log to decide', async () => {
  const event = await acknowledged()
  const checked = await fetch(`${ingest.url}/v1/events/validate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${acme.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(event),
  })
  expect(await checked.json()).toEqual({ valid: 1, rejected: 0, results: [] })
  const twice = sampleEvent()
  expect(await post([twice, twice])).toMatchObject(counts(2, 0))
})

test('what is remembered ends after a day, unless it is configured otherwise', async () => {
  const event = await acknowledged()
  const seconds = await redis.ttl((await keyOf(event)) ?? '')
  expect(seconds).toBeGreaterThan(86_000)
  expect(seconds).toBeLessThanOrEqual(86_400)
})

test('the memory is switched by command and by an admin key, without a restart', async () => {
  const turn = async (word: string) => {
    const command = join(import.meta.dirname, '..', '..', 'services', 'ingest', 'src', 'keys-command.ts')
    const env = { ...process.env, ...installation.env }
    await promisify(execFile)(process.execPath, [command, 'memory', word, '--tenant', 'off'], { env })
  }
  const call = async (method: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${off.key}`, 'content-type': 'application/json' }
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(`${ingest.url}/v1/memory`, { method, headers, ...init })
    return { status: response.status, body: await response.json() }
  }
  expect(await call('GET')).toEqual({ status: 200, body: { tenant: 'off', enabled: false } })
  await turn('on')
  expect(await call('GET')).toEqual({ status: 200, body: { tenant: 'off', enabled: true } })
  await untilRemembering(ingest.url, off)
  expect(await call('PUT', { enabled: 'no' })).toMatchObject({ status: 422 })
  expect(await call('PUT', { enabled: false })).toEqual({
    status: 200,
    body: { tenant: 'off', enabled: false },
  })
  await vi.waitFor(async () => {
    const event = sampleEvent()
    for (let sent = 0; sent < 3; sent += 1) expect(await post(event, off)).toMatchObject(counts(1, 0))
  }, soon)
})

test('metrics tell what was found and what was remembered', async () => {
  const text = await (await fetch(`${ingest.url}/metrics`)).text()
  const count = (series: string): number =>
    Number(new RegExp(`^tidemark_ingest_memory_${series}[^}]*\\} (\\d+)`, 'm').exec(text)?.[1])
  expect(count('answers_total{answer="duplicate"')).toBeGreaterThan(3)
  expect(count('answers_total{answer="possible_conflict"')).toBe(2)
  expect(count('answers_total{answer="unknown"')).toBeGreaterThan(3)
  expect(count('acknowledged_total{outcome="remembered"')).toBeGreaterThan(3)
})

// Last: it takes away what the others stand on.
test('of a topic that is deleted and made anew, nothing passes for acknowledged', async () => {
  const event = await acknowledged()
  expect(await post(event)).toMatchObject(counts(0, 1))
  await deleteTopics(kafka, [`${installation.prefix}usage.events.1`])
  const log = createLog({ service: 'test', level: 'silent', pretty: false })
  await provisionInstallation({ env: installation.env, log })
  // The producer may take a moment to find the new topic; a duplicate it is called at most until the next poll.
  await vi.waitFor(async () => expect(await post(event)).toMatchObject(counts(1, 0)), soon)
  await vi.waitFor(async () => expect(await copiesOf(event.id)).toBeGreaterThanOrEqual(1), soon)
})
