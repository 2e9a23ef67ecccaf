import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { fieldsOf, openUsageHttp, type UsageHttp } from './usage-http.ts'
import { at } from './usage-log.ts'
import { openUsageRoom, type UsageRoom } from './usage-room.ts'

let room: UsageRoom
let http: UsageHttp
let acme: TestTenant
let other: TestTenant

const bytes = {
  key: 'bytes',
  eventType: 'api.call',
  aggregation: 'sum',
  valuePath: 'bytes',
  dimensions: { region: 'place.region', tier: 'tier' },
} as const
const url = '/v1/meters/bytes/usage'

beforeAll(async () => {
  room = await openUsageRoom('usage')
  http = openUsageHttp(room)
  acme = await room.installation.createTenant('acme')
  other = await room.installation.createTenant('other')
  await room.meters.register('acme', bytes)
  await room.meters.register('other', bytes)
  const append = (tenant: string, subject: string, time: string, amount: number, region: string) =>
    room.log.append({
      tenant,
      type: 'api.call',
      subject,
      time: at(time),
      data: { bytes: amount, place: { region }, tier: 1 },
    })
  append('acme', 'alice', '2026-10-04T18:29:59.999999Z', 1, 'eu')
  append('acme', 'alice', '2026-10-04T18:30:00Z', 2, 'eu')
  append('acme', 'bob', '2026-10-04T18:45:00Z', 4, 'us')
  append('acme', 'alice', '2026-10-05T18:29:59Z', 8, 'us')
  append('acme', 'alice', '2026-10-05T18:30:00Z', 16, 'eu')
  append('other', 'alice', '2026-10-04T18:30:00Z', 1_000, 'eu')
  await room.log.write(at('2026-10-07T00:00:00Z'))
  await room.log.writeRelay('acme', at('2026-10-08T00:00:00Z'), at('2026-10-07T00:00:00Z'))
})
afterAll(async () => {
  await http?.close()
  await room?.close()
})

const range = { from: '2026-10-04T00:00:00Z', to: '2026-10-06T12:00:00Z' }
const ask = (query: Record<string, string>, tenant = acme) => http.get(url, tenant.key, query)

type Item = { windowStart: string; subject?: string; dimensions?: Record<string, string>; value: string }
const valuesOf = ({ body }: Awaited<ReturnType<typeof ask>>): string[] =>
  body.items.map(({ windowStart, subject, dimensions, value }: Item) =>
    [windowStart.slice(0, 16), subject, ...Object.values(dimensions ?? {}), value]
      .filter((part) => part !== undefined)
      .join(' '),
  )

/** Each question before and after the hours are sealed: the first test that asks seals them in between. */
async function askTwice(query: Record<string, string>, tenant = acme) {
  const before = await ask(query, tenant)
  await room.seal()
  const after = await ask(query, tenant)
  expect(after).toEqual(before)
  return after
}

test('the whole range is one item, complete up to what every partition has reached', async () => {
  expect(await askTwice(range)).toEqual({
    status: 200,
    body: {
      meter: 'bytes',
      version: 1,
      from: '2026-10-04T00:00:00.000000Z',
      to: '2026-10-06T12:00:00.000000Z',
      completeUntil: '2026-10-07T00:00:00.000000Z',
      cut: '1/0:1,1/1:1,1/2:1,1/3:1,1/4:1,1/5:1,1/6:0,1/7:0',
      items: [
        {
          windowStart: '2026-10-04T00:00:00.000000Z',
          windowEnd: '2026-10-06T12:00:00.000000Z',
          value: '31',
          eventCount: 5,
          unreadable: 0,
        },
      ],
      nextCursor: null,
    },
  })
})

test('days of Asia/Kolkata begin in the middle of an hour, which is divided exactly', async () => {
  const answer = await askTwice({ ...range, window: 'day', timeZone: 'Asia/Kolkata' })
  expect(valuesOf(answer)).toEqual(['2026-10-04T00:00 1', '2026-10-04T18:30 14', '2026-10-05T18:30 16'])
})

test('windows without events are listed with zero', async () => {
  const answer = await askTwice({ ...range, window: 'day' })
  expect(valuesOf(answer)).toEqual(['2026-10-04T00:00 7', '2026-10-05T00:00 24', '2026-10-06T00:00 0'])
  expect(valuesOf(await ask({ ...range, window: 'day', subject: 'nobody' }))).toEqual([
    '2026-10-04T00:00 0',
    '2026-10-05T00:00 0',
    '2026-10-06T00:00 0',
  ])
})

test('groups are subjects and dimensions in one order', async () => {
  expect(valuesOf(await askTwice({ ...range, groupBy: 'subject' }))).toEqual([
    '2026-10-04T00:00 alice 27',
    '2026-10-04T00:00 bob 4',
  ])
  expect(valuesOf(await askTwice({ ...range, groupBy: 'region,subject', window: 'day' }))).toEqual([
    '2026-10-04T00:00 alice eu 3',
    '2026-10-04T00:00 bob us 4',
    '2026-10-05T00:00 alice eu 16',
    '2026-10-05T00:00 alice us 8',
  ])
  expect(valuesOf(await askTwice({ ...range, groupBy: 'region', subject: 'alice' }))).toEqual([
    '2026-10-04T00:00 eu 19',
    '2026-10-04T00:00 us 8',
  ])
})

test('pages of one list read one cut, whatever comes between them', async () => {
  const query = { ...range, groupBy: 'subject,region', window: 'day', limit: '3' }
  const first = await ask(query)
  expect(first.body.items).toHaveLength(3)
  room.log.append({
    tenant: 'acme',
    type: 'api.call',
    subject: 'aaron',
    time: at('2026-10-04T10:00:00Z'),
    data: { bytes: 0 },
  })
  await room.log.write(at('2026-10-07T01:00:00Z'))
  await room.seal()
  const second = await ask({ ...query, cursor: first.body.nextCursor })
  expect([...valuesOf(first), ...valuesOf(second)]).toEqual([
    '2026-10-04T00:00 alice eu 3',
    '2026-10-04T00:00 bob us 4',
    '2026-10-05T00:00 alice eu 16',
    '2026-10-05T00:00 alice us 8',
  ])
  expect(second.body).toMatchObject({ cut: first.body.cut, nextCursor: null })
  expect(second.body.completeUntil).toBe(first.body.completeUntil)
})

test('pages of windows without groups', async () => {
  const query = { ...range, window: 'day', limit: '2' }
  const first = await ask(query)
  const second = await ask({ ...query, cursor: first.body.nextCursor })
  expect([...valuesOf(first), ...valuesOf(second)]).toEqual([
    '2026-10-04T00:00 7',
    '2026-10-05T00:00 24',
    '2026-10-06T00:00 0',
  ])
  expect(second.body.nextCursor).toBeNull()
})

test('another tenant sees its own events only, under the same key and subject', async () => {
  expect(valuesOf(await ask({ ...range, groupBy: 'subject' }, other))).toEqual([
    '2026-10-04T00:00 alice 1000',
  ])
  const { body } = await ask({ ...range, groupBy: 'subject', limit: '1' })
  expect(
    (await ask({ ...range, groupBy: 'subject', limit: '1', cursor: body.nextCursor }, other)).status,
  ).toBe(400)
  expect((await http.get(url, undefined, range)).status).toBe(401)
})

test.each<[Record<string, string>, string[]]>([
  [{}, ['from', 'to']],
  [{ ...range, from: 'yesterday' }, ['from']],
  [{ ...range, from: '2026-10-04T00:00:00' }, ['from']],
  [{ ...range, to: range.from }, ['to']],
  [{ from: '2020-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, ['to']],
  [{ ...range, window: 'week', timeZone: 'Mars/Base', limit: '0' }, ['window', 'timeZone', 'limit']],
  [{ ...range, groupBy: 'subject,color' }, ['groupBy']],
  [{ ...range, cursor: 'abc' }, ['cursor']],
  [{ ...range, version: 'latest' }, ['version']],
  [{ ...range, colour: 'red' }, ['colour']],
  [
    { from: '2025-09-01T12:00:00Z', to: '2026-10-06T12:00:00Z', window: 'hour', timeZone: 'Asia/Kolkata' },
    ['window'],
  ],
])('what is wrong with a query is named: %j', async (query, fields) => {
  const answer = await ask(query)
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  expect(fieldsOf(answer)).toEqual(fields)
})

test('a year of hours in a zone that divides each of them is one query', async () => {
  const query = {
    from: '2025-09-01T12:30:00.5Z',
    to: '2026-10-06T12:00:00Z',
    window: 'hour',
    timeZone: 'Asia/Kolkata',
  }
  const { status, body } = await askTwice({ ...query, limit: '10000' })
  expect([status, body.detail]).toEqual([200, undefined])
  expect(body.items).toHaveLength(9_600)
  const filled = body.items.filter(({ value }: Item) => value !== '0')
  expect(filled.map(({ windowStart, value }: Item) => `${windowStart.slice(0, 16)} ${value}`)).toEqual([
    '2026-10-04T17:30 1',
    '2026-10-04T18:30 6',
    '2026-10-05T17:30 8',
    '2026-10-05T18:30 16',
  ])
})

test('an unknown meter and an unknown version are 404', async () => {
  expect((await http.get('/v1/meters/nothing/usage', acme.key, range)).status).toBe(404)
  expect((await ask({ ...range, version: '7' })).status).toBe(404)
})

test('completeness says which partitions are missing', async () => {
  const until = (text: string) => http.get('/v1/completeness', acme.key, { until: text })
  expect((await until('2026-10-06T00:00:00Z')).body).toMatchObject({ complete: true, missing: [] })
  const { body } = await until('2026-10-08T00:00:00Z')
  expect(body.complete).toBe(false)
  // Partitions of usage.events; the relay has come as far.
  expect(body.missing).toHaveLength(8)
  expect(body.missing[0]).toMatchObject({ topic: 'usage.events', partition: 0 })
  expect((await until('soon')).status).toBe(400)
})
