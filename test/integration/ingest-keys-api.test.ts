import { createTestClock, type TestClock } from '@tidemark/infra/process/clock.ts'
import { isRecord } from '@tidemark/infra/process/record.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { postEvents, type RunningIngest, sampleEvent, soon, startIngest } from './ingest-room.ts'

let installation: Installation
let ingest: RunningIngest
let acme: TestTenant
let clock: TestClock

beforeAll(async () => {
  installation = await createInstallation('keysapi')
  acme = await installation.createTenant('acme')
  clock = createTestClock(Date.now())
  ingest = await startIngest(installation.env, {}, clock)
})

afterAll(async () => {
  await ingest?.stop()
  await installation?.remove()
})

async function call(method: string, path: string, body?: unknown, key = acme.key) {
  const response = await fetch(`${ingest.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const parsed: unknown = text === '' ? {} : JSON.parse(text)
  return { status: response.status, body: isRecord(parsed) ? parsed : {}, text }
}

const ingestKey = { name: 'products', scopes: ['ingest'], mode: 'live' }
const make = (fields: Record<string, unknown> = {}) => call('POST', '/v1/keys', { ...ingestKey, ...fields })
const ingestStatus = async (key: unknown): Promise<number> =>
  (await postEvents(ingest.url, sampleEvent(), { key: String(key) })).status

test('a key is shown once, works with its scopes only, and is listed without its secret', async () => {
  const made = await make({ expiresAt: '2099-01-01T00:00:00+02:00' })
  expect(made).toMatchObject({
    status: 201,
    body: { ...ingestKey, tenant: 'acme', expiresAt: '2098-12-31T22:00:00.000000Z', revokedAt: null },
  })
  const { id, key } = made.body
  expect(await ingestStatus(key)).toBe(202)
  expect(await call('GET', '/v1/keys', undefined, String(key))).toMatchObject({
    status: 403,
    body: { code: 'scope_missing' },
  })
  const listed = await call('GET', '/v1/keys')
  expect(listed.text).not.toContain(String(key).slice(24))
  expect(listed.body.items).toContainEqual({
    id,
    tenant: 'acme',
    name: 'products',
    mode: 'live',
    scopes: ['ingest'],
    createdAt: made.body.createdAt,
    expiresAt: made.body.expiresAt,
    revokedAt: null,
    lastUsedAt: null,
  })
})

test('pages follow one another without a gap, and show no other tenant', async () => {
  const other = await installation.createTenant('other')
  for (let number = 0; number < 3; number++) await make({ name: `page ${number}` })
  const all = await call('GET', '/v1/keys')
  const ids: unknown[] = []
  let cursor: unknown = ''
  while (cursor !== null) {
    const page = await call('GET', `/v1/keys?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
    expect(page.status).toBe(200)
    const items = Array.isArray(page.body.items) ? page.body.items : []
    ids.push(...items.map((item: unknown) => isRecord(item) && item.id))
    cursor = page.body.nextCursor
  }
  expect(ids).toEqual(
    (Array.isArray(all.body.items) ? all.body.items : []).map((item: unknown) => isRecord(item) && item.id),
  )
  expect(ids).not.toContain(other.keyId)
  expect(await call('GET', `/v1/keys?cursor=${other.keyId}`)).toMatchObject({
    status: 400,
    body: { code: 'cursor_unknown' },
  })
})

test('a revoked key is refused within 20 s, everywhere', async () => {
  const second = await startIngest(installation.env, {}, clock)
  const { id, key } = (await make()).body
  const bothStatuses = async () => [
    await ingestStatus(key),
    (await postEvents(second.url, sampleEvent(), { key: String(key) })).status,
  ]
  expect(await bothStatuses()).toEqual([202, 202])
  expect((await call('DELETE', `/v1/keys/${id}`)).status).toBe(204)
  clock.advance(20_000)
  expect(await bothStatuses()).toEqual([401, 401])
  expect(await call('DELETE', `/v1/keys/${id}`)).toMatchObject({
    status: 404,
    body: { code: 'key_not_found' },
  })
  await second.stop()
})

test('after a rotation both keys work for the overlap, then only the new one', async () => {
  const { id, key } = (await make({ name: 'rotated', scopes: ['ingest', 'read'], mode: 'test' })).body
  const rotated = await call('POST', `/v1/keys/${id}/rotate`, { overlapSeconds: 600 })
  expect(rotated).toMatchObject({ status: 201, body: { replaces: id, expiresAt: null } })
  const overlapMs = Date.parse(String(rotated.body.oldExpiresAt)) - Date.now()
  expect(overlapMs).toBeGreaterThan(590_000)
  expect(overlapMs).toBeLessThanOrEqual(600_000)
  expect([await ingestStatus(key), await ingestStatus(rotated.body.key)]).toEqual([202, 202])
  expect((await call('GET', '/v1/keys')).body.items).toContainEqual(
    expect.objectContaining({
      id: rotated.body.id,
      name: 'rotated',
      scopes: ['ingest', 'read'],
      mode: 'test',
    }),
  )
  const next = await call('POST', `/v1/keys/${rotated.body.id}/rotate`, { overlapSeconds: 0 })
  clock.advance(20_000)
  expect(await ingestStatus(rotated.body.key)).toBe(401)
  expect(await ingestStatus(next.body.key)).toBe(202)
  expect((await call('POST', `/v1/keys/${rotated.body.id}/rotate`, { overlapSeconds: 0 })).status).toBe(404)
})

test("another tenant's keys are not found", async () => {
  const stranger = await installation.createTenant('stranger')
  const { id } = (await make()).body
  for (const [method, path, body] of [
    ['DELETE', `/v1/keys/${id}`, undefined],
    ['POST', `/v1/keys/${id}/rotate`, { overlapSeconds: 0 }],
    ['PUT', '/v1/limits', { keyId: id, eventsPerSecond: 1 }],
  ] as const)
    expect(await call(method, path, body, stranger.key)).toMatchObject({ status: 404 })
})

test.each([
  [{ name: '' }, 'name'],
  [{ scopes: [] }, 'scopes'],
  [{ scopes: ['write'] }, 'scopes'],
  [{ scopes: ['read', 'read'] }, 'scopes'],
  [{ mode: 'dev' }, 'mode'],
  [{ expiresAt: 'tomorrow' }, 'expiresAt'],
  [{ expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
  [{ tenant: 'other' }, 'tenant'],
])('%o is refused with the field that is at fault', async (fields, field) => {
  const answer = await make(fields)
  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
  expect(answer.body.detail).toContain(field)
})

test("an admin sees its tenant's limits and changes those of its keys", async () => {
  const { id } = (await make()).body
  const limit = { tenant: 'acme', keyId: id, eventsPerSecond: 50, bytesPerSecond: null }
  expect(await call('PUT', '/v1/limits', { keyId: id, eventsPerSecond: 50 })).toMatchObject({
    status: 200,
    body: limit,
  })
  expect((await call('GET', '/v1/limits')).body).toEqual({ items: [limit], nextCursor: null })
  await call('PUT', '/v1/limits', { keyId: id, bytesPerSecond: 9_000, eventsPerSecond: null })
  expect((await call('GET', '/v1/limits')).body.items).toEqual([
    { ...limit, eventsPerSecond: null, bytesPerSecond: 9_000 },
  ])
  expect((await call('PUT', '/v1/limits', { keyId: id, eventsPerSecond: 0 })).status).toBe(422)
  const rotated = await call('POST', `/v1/keys/${id}/rotate`, { overlapSeconds: 0 })
  await vi.waitFor(
    async () =>
      expect((await call('GET', '/v1/limits')).body.items).toContainEqual(
        expect.objectContaining({ keyId: rotated.body.id, bytesPerSecond: 9_000 }),
      ),
    soon,
  )
})
