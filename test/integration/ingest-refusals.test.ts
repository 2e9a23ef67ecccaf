import { createTestClock, type TestClock } from '@tidemark/infra/process/clock.ts'
import { revokeApiKey } from '@tidemark/ingest/api-keys.ts'
import { formatApiKey } from '@tidemark/schemas/api-key.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'
import { postEvents, type RunningIngest, sampleEvent, startIngest } from './ingest-room.ts'

let installation: Installation
let ingest: RunningIngest
let acme: TestTenant
let clock: TestClock

beforeAll(async () => {
  installation = await createInstallation('refusals')
  acme = await installation.createTenant('acme')
  clock = createTestClock(Date.UTC(2026, 10, 21, 12))
  const limits = { INGEST_BODY_LIMIT_BYTES: '100000', INGEST_BATCH_LIMIT_EVENTS: '50' }
  ingest = await startIngest(installation.env, limits, clock)
})

afterAll(async () => {
  await ingest?.stop()
  await installation?.remove()
})

test('without a key that is known and may ingest nothing is read', async () => {
  const post = (key?: string) => postEvents(ingest.url, sampleEvent(), key === undefined ? {} : { key })
  expect(await post()).toMatchObject({ status: 401, body: { code: 'api_key_missing' } })
  expect(await post(`${acme.key}x`)).toMatchObject({ status: 401, body: { code: 'api_key_malformed' } })
  const unknown = formatApiKey('test', 'a'.repeat(16), Buffer.alloc(32))
  expect(await post(unknown)).toMatchObject({ status: 401, body: { code: 'api_key_unknown' } })
  const reader = await installation.createTenant('reader', ['read'])
  expect(await post(reader.key)).toMatchObject({ status: 403, body: { code: 'scope_missing' } })
})

test('a revoked key is refused as soon as what was believed of it is 20 s old', async () => {
  const tenant = await installation.createTenant('leaving')
  const post = async () => (await postEvents(ingest.url, sampleEvent(), { key: tenant.key })).status
  expect(await post()).toBe(202)
  expect(await revokeApiKey(installation.openPool('tidemark_ingest'), tenant.keyId)).toBe(true)
  clock.advance(20_001)
  expect(await post()).toBe(401)
})

test.each([
  ['{"a":1,}', 400, 'not_json', { position: 7 }],
  ['', 400, 'not_json', { position: 0 }],
  ['[{"specversion":"1.0"', 400, 'not_json', { position: 21 }],
  [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'not_utf8', { position: 2 }],
  ['7', 400, 'body_shape', {}],
  [`${'['.repeat(2_000)}12345678901234567890${']'.repeat(2_000)}`, 400, 'nested_too_deep', {}],
  [' '.repeat(100_001), 413, 'body_too_large', {}],
  [JSON.stringify(Array.from({ length: 51 }, () => ({}))), 413, 'too_many_events', {}],
])('a body that cannot be used is refused whole: %.30s', async (body, status, code, more) => {
  expect(await postEvents(ingest.url, body, { key: acme.key })).toMatchObject({
    status,
    body: { code, ...more },
  })
})

test.each([
  ['text/plain', {}, 'unsupported_media_type'],
  ['application/json; charset=latin1', {}, 'charset_unsupported'],
  ['application/json', { 'content-encoding': 'br' }, 'encoding_unsupported'],
  ['application/json', { 'content-encoding': 'gzip, zstd' }, 'encoding_unsupported'],
])('%s %o is refused before the body is read', async (contentType, headers, code) => {
  const answer = await postEvents(ingest.url, sampleEvent(), { key: acme.key, contentType, headers })
  expect(answer).toMatchObject({ status: 415, body: { code } })
})

test('a media type that does not fit the body is told so', async () => {
  const contentType = 'application/cloudevents-batch+json'
  const answer = await postEvents(ingest.url, sampleEvent(), { key: acme.key, contentType })
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'body_shape', detail: expect.stringContaining('array') },
  })
})
