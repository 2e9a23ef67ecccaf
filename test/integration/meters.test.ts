import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { fieldsOf, openUsageHttp, type UsageHttp } from './usage-http.ts'
import { openUsageRoom, type UsageRoom } from './usage-room.ts'

let room: UsageRoom
let acme: TestTenant
let other: TestTenant
let reader: TestTenant
let http: UsageHttp

beforeAll(async () => {
  room = await openUsageRoom('meters')
  acme = await room.installation.createTenant('acme')
  other = await room.installation.createTenant('other')
  reader = await room.installation.createTenant('reader', ['read'])
  http = openUsageHttp(room)
})
afterAll(async () => {
  await http?.close()
  await room?.close()
})

const post = (body: object, tenant = acme, query = '') => http.post(`/v1/meters${query}`, body, tenant.key)
const get = (url: string, tenant = acme) => http.get(url, tenant.key)

const calls = { key: 'calls', eventType: 'api.call', aggregation: 'count' }

test('a meter is created once; another definition is its next version and changes no earlier one', async () => {
  expect(await post(calls)).toEqual({ status: 201, body: { ...calls, version: 1 } })
  expect(await post({ aggregation: 'count', eventType: 'api.call', key: 'calls' })).toEqual({
    status: 200,
    body: { ...calls, version: 1 },
  })
  const filtered = { ...calls, filters: [{ path: 'method', in: ['GET'] }] }
  expect(await post(filtered)).toEqual({ status: 201, body: { ...filtered, version: 2 } })
  expect(await get('/v1/meters/calls')).toEqual({
    status: 200,
    body: {
      ...filtered,
      version: 2,
      filledUntil: null,
      hoursLeft: null,
      earlierVersions: [{ ...calls, version: 1 }],
    },
  })
})

test('a dry run says what would happen and does nothing', async () => {
  const meter = { ...calls, key: 'dry' }
  expect(await post(meter, acme, '?dryRun=true')).toEqual({ status: 200, body: { ...meter, version: 1 } })
  expect((await get('/v1/meters/dry')).status).toBe(404)
})

test('two requests at once make one version', async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, () => post({ ...calls, key: 'race' })))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 201])
  expect(new Set(answers.map(({ body }) => body.version))).toEqual(new Set([1]))
})

test('meters are listed page by page, each in its latest version, and only the tenant’s own', async () => {
  for (const key of ['a', 'b', 'c']) await post({ ...calls, key }, other)
  await post({ ...calls, key: 'b', eventType: 'b.call' }, other)
  const first = await get('/v1/meters?limit=2', other)
  expect(first.body).toEqual({
    items: [
      { ...calls, key: 'a', version: 1 },
      { ...calls, key: 'b', eventType: 'b.call', version: 2 },
    ],
    nextCursor: 'b',
  })
  const second = await get(`/v1/meters?limit=2&cursor=${first.body.nextCursor}`, other)
  expect(second.body).toEqual({ items: [{ ...calls, key: 'c', version: 1 }], nextCursor: null })
  expect((await get('/v1/meters', reader)).body.items).toEqual([])
})

test.each([
  [{ key: 'm', eventType: 'x', aggregation: 'sum' }, 'valuePath'],
  [{ ...calls, valuePath: 'bytes' }, 'valuePath'],
  [{ ...calls, key: 'Not A Key' }, 'key'],
  [{ ...calls, aggregation: 'mean' }, 'aggregation'],
  [{ ...calls, dimensions: { region: 'a..b' } }, 'dimensions.region'],
  [{ ...calls, dimensions: { subject: 'customer' } }, 'dimensions.subject'],
  [{ ...calls, color: 'red' }, 'color'],
  [
    {
      ...calls,
      filters: [
        { path: 'a', in: ['x'.repeat(256)] },
        { path: 'b', in: [] },
      ],
    },
    'filters.1.in',
  ],
  [
    {
      ...calls,
      filters: Array.from({ length: 2 }, () => ({
        path: 'a',
        in: Array.from({ length: 40 }, () => 'x'.repeat(256)),
      })),
    },
    'body',
  ],
])('an unsound meter is refused by name of the field: %j', async (meter, field) => {
  const answer = await post(meter)
  expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request' } })
  expect(fieldsOf(answer)).toContain(field)
})

test('who may not is refused before the body is looked at', async () => {
  expect((await post({ nonsense: 1 }, reader)).status).toBe(403)
  expect((await http.post('/v1/meters', {})).status).toBe(401)
})

test('another tenant’s meter is unknown', async () => {
  expect((await get('/v1/meters/a')).status).toBe(404)
  const usage = await get('/v1/meters/a/usage?from=2026-10-01T00:00:00Z&to=2026-10-02T00:00:00Z')
  expect(usage).toMatchObject({ status: 404, body: { code: 'meter_unknown' } })
})
