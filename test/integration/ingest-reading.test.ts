import { readFile } from 'node:fs/promises'
import { createTestClock } from '@tidemark/infra/process/clock.ts'
import { isRecord } from '@tidemark/infra/process/record.ts'
import { identityKey, partitionOf } from '@tidemark/schemas/event-identity.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { type AggregatorRoom, openAggregatorRoom } from './aggregator-room.ts'
import { postEvents, type RunningIngest, sampleEvent, startIngest } from './ingest-room.ts'

let room: AggregatorRoom
let ingest: RunningIngest
let acme: TestTenant
let other: TestTenant

/** Acceptance lies at a known instant; everything is appended when the broker says so. */
const noon = Date.UTC(2026, 10, 21, 12)
const clock = createTestClock(noon)
const atMinute = (minute: number) => new Date(noon - 3_600_000 + minute * 60_000).toISOString()

const listed = Array.from({ length: 7 }, (_, index) =>
  sampleEvent({
    id: `listed-${index}`,
    subject: index % 2 === 0 ? 'even' : 'odd',
    type: index < 5 ? 'api.request' : 'api.storage',
    // Two of them at one instant: their offsets decide.
    time: atMinute(index === 4 ? 3 : index),
    data: { index, text: '1.50' },
  }),
)

beforeAll(async () => {
  room = await openAggregatorRoom('reading')
  acme = await room.installation.createTenant('acme')
  other = await room.installation.createTenant('other')
  ingest = await startIngest(room.installation.env, {}, clock)
  await room.start()
  await postEvents(ingest.url, listed, { key: acme.key })
  const one = sampleEvent({ id: 'fate', source: '/fate', time: atMinute(-90), data: { n: 1 } })
  await postEvents(ingest.url, one, { key: acme.key })
  await postEvents(ingest.url, one, { key: acme.key })
  await postEvents(ingest.url, { ...one, type: 'api.other', data: { n: 2 } }, { key: acme.key })
  const bare = sampleEvent({ id: 'fate', source: '/fate', subject: 'theirs', data: undefined })
  await postEvents(ingest.url, bare, { key: other.key })
  await room.drained()
})

afterAll(async () => {
  await ingest?.stop()
  await room?.close()
})

async function get(path: string, query: Record<string, string> | string = {}, key: string | null = acme.key) {
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` }
  const response = await fetch(`${ingest.url}${path}?${new URLSearchParams(query)}`, { headers })
  const body: unknown = await response.json()
  if (!isRecord(body)) throw new Error('The answer is no object')
  return { status: response.status, body }
}

const idsOf = ({ body }: { body: Record<string, unknown> }): unknown[] =>
  Array.isArray(body.items) ? body.items.map(({ id }) => id) : []

const hour = { from: atMinute(0), to: atMinute(60) }

test('an event is shown as it was sent, with where it lies', async () => {
  const answer = await get('/v1/events', { id: 'listed-1' })
  expect(answer.status).toBe(200)
  const key = identityKey(acme.tenantNumber, '/test', 'listed-1')
  expect(answer.body).toEqual({
    items: [
      {
        specversion: '1.0',
        id: 'listed-1',
        source: '/test',
        type: 'api.request',
        subject: 'odd',
        time: '2026-11-21T11:01:00.000000Z',
        data: { index: 1, text: '1.50' },
        acceptedAt: '2026-11-21T12:00:00.000000Z',
        log: 1,
        partition: partitionOf(key, 8),
        offset: expect.any(Number),
      },
    ],
    nextCursor: null,
  })
})

test.each([
  ['by subject', { subject: 'odd' }, ['listed-5', 'listed-3', 'listed-1']],
  ['by type, oldest first', { type: 'api.storage', order: 'oldest' }, ['listed-5', 'listed-6']],
  ['by time, its end left out', { from: atMinute(1), to: atMinute(3) }, ['listed-2', 'listed-1']],
  ['by all of them', { ...hour, subject: 'even', type: 'api.request', id: 'listed-2' }, ['listed-2']],
  ['where there are none', { subject: 'nobody' }, []],
])('events are found %s', async (_name, query, expected) => {
  expect(idsOf(await get('/v1/events', query))).toEqual(expected)
})

test.each(['newest', 'oldest'])('pages of one event each, %s first, are the whole list', async (order) => {
  const query: Record<string, string> = { ...hour, order }
  const whole = idsOf(await get('/v1/events', query))
  expect(new Set(whole)).toEqual(new Set(listed.map(({ id }) => id)))
  const found: unknown[] = []
  for (let cursor: unknown = ''; cursor !== null; ) {
    const page = await get('/v1/events', { ...query, limit: '1', ...(cursor ? { cursor: `${cursor}` } : {}) })
    expect(page.status).toBe(200)
    found.push(...idsOf(page))
    cursor = page.body.nextCursor
  }
  expect(found).toEqual(whole)
})

test('another tenant sees its own events and no others', async () => {
  expect(idsOf(await get('/v1/events', hour, other.key))).toEqual([])
  expect(idsOf(await get('/v1/events', {}, other.key))).toEqual(['fate'])
  const page = await get('/v1/events', { ...hour, limit: '1' })
  const cursor = String(page.body.nextCursor)
  expect(idsOf(await get('/v1/events', { ...hour, cursor }, other.key))).toEqual([])
  const theirs = await get('/v1/events/lookup', { source: '/fate', id: 'fate' }, other.key)
  expect(theirs.body).toMatchObject({
    verdict: 'accepted',
    event: { subject: 'theirs' },
    copies: [{ log: 1 }],
  })
  expect(theirs.body.event).not.toHaveProperty('data')
  const asked = await get('/v1/events/lookup', { source: '/test', id: 'listed-1' }, other.key)
  expect(asked.status).toBe(404)
})

test('a lookup tells what became of an event and of all its copies', async () => {
  const answer = await get('/v1/events/lookup', { source: '/fate', id: 'fate' })
  const partition = partitionOf(identityKey(acme.tenantNumber, '/fate', 'fate'), 8)
  const place = { log: 1, partition }
  expect(answer.status).toBe(200)
  expect(answer.body).toMatchObject({
    source: '/fate',
    id: 'fate',
    verdict: 'accepted',
    event: {
      ...place,
      type: 'api.request',
      subject: 'customer-1',
      time: '2026-11-21T09:30:00.000000Z',
      acceptedAt: '2026-11-21T12:00:00.000000Z',
      data: { n: 1 },
    },
    countsIn: { type: 'api.request', hour: '2026-11-21T09:00:00Z' },
    hasMoreCopies: false,
  })
  const { copies } = answer.body
  if (!Array.isArray(copies)) throw new Error('no copies')
  expect(copies.map(({ verdict }) => verdict)).toEqual(['accepted', 'duplicate', 'conflict'])
  const [accepted, duplicate, conflict] = copies
  for (const copy of copies)
    expect(copy).toMatchObject({ ...place, first: { ...place, offset: accepted.offset } })
  expect(accepted.offset < duplicate.offset && duplicate.offset < conflict.offset).toBe(true)
  expect(duplicate.payloadHash).toBe(accepted.payloadHash)
  expect(conflict.payloadHash).not.toBe(accepted.payloadHash)
  expect(conflict.type).toBe('api.other')
  expect(Date.parse(accepted.appendedAt)).toBeGreaterThan(0)
})

test('what the ledger does not have is not found, and the answer says how far it goes', async () => {
  await expect
    .poll(async () => (await get('/v1/events/lookup', { source: '/fate', id: 'none' })).body, {
      timeout: 20_000,
    })
    .toMatchObject({
      status: 404,
      code: 'event_not_found',
      detail: expect.stringContaining('"none"'),
      processedUntil: expect.stringMatching(/^2\d{3}-.*Z$/),
    })
})

test.each([
  ['/v1/events', { limit: '0' }, ['limit']],
  ['/v1/events', { limit: 'many', order: 'size' }, ['limit', 'order']],
  ['/v1/events', { subject: '', type: 'x'.repeat(129) }, ['subject', 'type']],
  ['/v1/events', { tenant: 'other' }, ['tenant']],
  ['/v1/events', { from: '2026-11-01', to: 'now' }, ['from', 'to']],
  ['/v1/events', { from: atMinute(1), to: atMinute(1) }, ['to']],
  ['/v1/events', { from: '2026-01-01T00:00:00Z', to: '2026-03-01T00:00:00Z' }, ['to']],
  ['/v1/events', { cursor: 'abc' }, ['cursor']],
  ['/v1/events', 'subject=a&subject=b', ['subject']],
  ['/v1/events/lookup', {}, ['source', 'id']],
  ['/v1/events/lookup', { source: '/a', id: '' }, ['id']],
])('%s with %o is refused, naming %o', async (path, query, fields) => {
  const { status, body } = await get(path, query)
  expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' })
  const errors: { field: string; reason: string }[] = Array.isArray(body.errors) ? body.errors : []
  expect(errors.map(({ field }) => field).sort()).toEqual([...fields].sort())
  for (const { reason } of errors) expect(reason.length).toBeGreaterThan(5)
})

test('a cursor of another question is refused', async () => {
  const page = await get('/v1/events', { ...hour, limit: '1' })
  const cursor = String(page.body.nextCursor)
  const answer = await get('/v1/events', { ...hour, subject: 'odd', cursor })
  expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'cursor' }] } })
})

test('a key must be sent, and be one that may read', async () => {
  const writer = await room.installation.createTenant('writer', ['ingest'])
  for (const path of ['/v1/events', '/v1/events/lookup']) {
    expect(await get(path, {}, null)).toMatchObject({ status: 401, body: { code: 'api_key_missing' } })
    expect(await get(path, {}, writer.key)).toMatchObject({ status: 403, body: { code: 'scope_missing' } })
  }
})

test('the reference of all this is served beside it, without a key', async () => {
  const written: unknown = JSON.parse(await readFile('docs/openapi/ingest.json', 'utf8'))
  expect((await get('/openapi.json', {}, null)).body).toEqual(written)
  const page = await fetch(`${ingest.url}/docs`)
  expect(page.status).toBe(200)
  expect(await page.text()).toContain('swagger-ui')
})

test('a look-up reads by keys: a ledger of 2 million other rows is not scanned', async () => {
  const filled = 'FROM numbers(2100000)'
  // Another log, so that the aggregator's own is left as it is.
  await room.clickHouse.command(
    `INSERT INTO usage_ledger_by_identity (identity, log, partition, offset, verdict)
     SELECT toFixedString(substring(concat(unhex('00000001'), MD5(toString(number))), 1, 20), 20), 2, number % 8, number, 'accepted' ${filled}`,
  )
  await room.clickHouse.command(
    `INSERT INTO usage_ledger (log, partition, offset, verdict) SELECT 2, number % 8, number, 'accepted' ${filled}`,
  )
  // Both reads are refused by ClickHouse beyond their bounds, which this ledger is beyond.
  const scan =
    'SELECT count() AS n FROM usage_ledger FINAL WHERE hour = 1 SETTINGS max_rows_to_read = 2000000'
  await expect(room.clickHouse.query(scan)).rejects.toMatchObject({ code: 'clickhouse_too_many_rows' })
  const answer = await get('/v1/events/lookup', { source: '/fate', id: 'fate' })
  expect(answer).toMatchObject({ status: 200, body: { verdict: 'accepted' } })
})
