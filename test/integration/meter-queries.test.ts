import type { UsageItem } from '@tidemark/aggregator/usage/usage-answer.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { fieldsOf, openUsageHttp, type UsageHttp } from './usage-http.ts'
import { at } from './usage-log.ts'
import { openUsageRoom, type UsageRoom } from './usage-room.ts'

let room: UsageRoom
let http: UsageHttp
let acme: TestTenant

const bytes: Meter = {
  key: 'bytes',
  eventType: 'api.call',
  aggregation: 'sum',
  valuePath: 'bytes',
  dimensions: { region: 'region' },
}
const storage: Meter = {
  key: 'storage',
  eventType: 'disk.resized',
  aggregation: 'time-weighted-sum',
  valuePath: 'gb',
  values: 'levels',
  dimensions: { region: 'region' },
}

beforeAll(async () => {
  room = await openUsageRoom('meterqueries')
  http = openUsageHttp(room)
  acme = await room.installation.createTenant('acme')
  for (const meter of [
    bytes,
    storage,
    { ...storage, key: 'peak', aggregation: 'time-weighted-max' } as const,
  ])
    await room.meters.register('acme', meter)
  const call = (subject: string, time: string, value: unknown, region = 'eu') =>
    room.log.append({
      tenant: 'acme',
      type: 'api.call',
      subject,
      time: at(time),
      data: { bytes: JSON.parse(JSON.stringify(value)), region },
    })
  call('alice', '2026-10-04T10:00:00Z', 1)
  call('alice', '2026-10-04T10:01:00Z', 2, 'us')
  call('bob', '2026-10-04T11:00:00Z', 40)
  call('carol', '2026-10-04T12:00:00Z', 5, 'ap, south')
  call('carol', '2026-10-04T12:00:01Z', 'many')
  call('carol', '2026-10-04T12:00:02Z', '123456789012345678901234567890')
  call('carol', '2026-10-04T12:00:03Z', '0.0000000001', 'us')
  const resize = (time: string, gb: number, region = 'eu') =>
    room.log.append({
      tenant: 'acme',
      type: 'disk.resized',
      subject: 'alice',
      time: at(time),
      data: { gb, region },
    })
  resize('2026-09-01T00:00:00Z', 100)
  resize('2026-10-02T12:00:00Z', 300)
  resize('2026-09-30T00:00:00Z', 50, 'us')
  resize('2026-10-02T18:00:00Z', 0, 'us')
  await room.log.write(at('2026-10-07T00:00:00Z'))
})
afterAll(async () => {
  await http?.close()
  await room?.close()
})

const range = 'from=2026-10-04T00:00:00Z&to=2026-10-05T00:00:00Z'
const get = (path: string) => http.get(`/v1/meters/${path}`, acme.key)

/** Before and after the hours are sealed. */
async function itemsOf(path: string): Promise<string[]> {
  const shown = async () => {
    const { status, body } = await get(path)
    expect(status, JSON.stringify(body)).toBe(200)
    return body.items.map(({ subject, dimensions, value }: UsageItem) =>
      [subject, ...Object.values(dimensions ?? {}), value].filter((part) => part !== undefined).join(' '),
    )
  }
  const before = await shown()
  await room.seal()
  expect(await shown()).toEqual(before)
  return before
}

test('a meter says how far it is filled', async () => {
  const filling = async () => {
    const { filledUntil, hoursLeft } = (await get('bytes')).body
    return [filledUntil, hoursLeft]
  }
  expect(await filling()).toEqual([null, null])
  await room.seal()
  expect(await filling()).toEqual(['2026-10-07T00:00:00.000000Z', 0])
  room.log.append({
    tenant: 'acme',
    type: 'api.call',
    subject: 'dave',
    time: at('2026-09-15T05:30:00Z'),
    data: { bytes: 7 },
  })
  await room.log.write(at('2026-10-07T00:00:00Z'))
  await room.seal({ patient: true })
  // A pass that seals nothing is written for a new meter's sake; it names the hour that waits.
  await room.meters.register('acme', { ...bytes, key: 'later' })
  expect((await get('later')).body).toMatchObject({ filledUntil: null })
  await room.seal({ patient: true })
  expect(await filling()).toEqual(['2026-09-15T05:00:00.000000Z', 1])
  await room.seal()
  expect(await filling()).toEqual(['2026-10-07T00:00:00.000000Z', 0])
})

test('subjects and values of dimensions are lists; the largest come first when asked', async () => {
  expect(await itemsOf(`bytes/subjects?${range}`)).toEqual(['alice 3', 'bob 40', 'carol 5'])
  expect(await itemsOf(`bytes/subjects?${range}&order=value&limit=2`)).toEqual(['bob 40', 'carol 5'])
  expect(await itemsOf(`bytes/dimensions/region?${range}`)).toEqual(['ap, south 5', 'eu 41', 'us 2'])
  expect(await itemsOf(`bytes/dimensions/region?${range}&order=value&subject=alice`)).toEqual([
    'us 2',
    'eu 1',
  ])
  expect(await get(`bytes/dimensions/colour?${range}`)).toMatchObject({
    status: 404,
    body: { code: 'dimension_unknown' },
  })
  expect(fieldsOf(await get(`bytes/subjects?${range}&window=day`))).toEqual(['window'])
  expect(fieldsOf(await get(`bytes/usage?${range}&order=value`))).toEqual(['order'])
})

test('filters choose among subjects and values of dimensions', async () => {
  expect(await itemsOf(`bytes/usage?${range}&subject=alice&subject=bob`)).toEqual(['43'])
  expect(await itemsOf(`bytes/usage?${range}&filter.region=us&filter.region=ap,%20south`)).toEqual(['7'])
  expect(await itemsOf(`bytes/usage?${range}&filter.region=us&groupBy=subject`)).toEqual([
    'alice 2',
    'carol 0',
  ])
})

test('windows of minutes', async () => {
  const query = 'from=2026-10-04T10:00:00Z&to=2026-10-04T10:03:00Z&window=minute'
  expect(await itemsOf(`bytes/usage?${query}`)).toEqual(['1', '2', '0'])
})

test('usage as CSV, asked for by header or parameter', async () => {
  const path = `/v1/meters/bytes/usage?${range}&groupBy=region,subject&limit=2`
  const byHeader = await http.getText(path, acme.key, 'text/csv')
  expect(byHeader.text.split('\r\n')).toEqual([
    'windowStart,windowEnd,subject,region,value,eventCount,unreadable',
    '2026-10-04T00:00:00.000000Z,2026-10-05T00:00:00.000000Z,alice,eu,1,1,0',
    '2026-10-04T00:00:00.000000Z,2026-10-05T00:00:00.000000Z,alice,us,2,1,0',
    '',
  ])
  expect(byHeader.headers['content-type']).toBe('text/csv; charset=utf-8')
  const next = byHeader.headers['tidemark-next-cursor']
  const second = await http.getText(`${path}&format=csv&cursor=${next}`, acme.key)
  expect(second.text).toContain('carol,"ap, south",5,1,0')
  expect((await http.getText(`${path}&format=json`, acme.key, 'text/csv')).text).toMatch(/^{/)
})

test('what cannot be read is counted and listed with its reason', async () => {
  const { body } = await get(`bytes/unreadable?${range}&limit=2`)
  expect(body).toMatchObject({ meter: 'bytes', total: 3 })
  expect(body.items).toMatchObject([
    { subject: 'carol', source: 'test', time: '2026-10-04T12:00:01.000000Z', value: '"many"' },
    { reason: '30 integer digits are more than the 29 that are kept exactly' },
  ])
  expect(body.items[0]).toMatchObject({
    id: expect.any(String),
    log: 1,
    partition: expect.any(Number),
    offset: '0',
  })
  const rest = await get(`bytes/unreadable?${range}&limit=2&cursor=${body.nextCursor}`)
  expect(rest.body).toMatchObject({
    total: 3,
    nextCursor: null,
    items: [{ reason: expect.stringContaining('10 decimals') }],
  })
  expect((await get(`bytes/usage?${range}&cursor=${body.nextCursor}`)).status).toBe(400)
  const usage = await get(`bytes/usage?${range}`)
  expect(usage.body.items).toMatchObject([{ value: '48', eventCount: 7, unreadable: 3 }])
})

test('a level is carried into windows in which nothing happens, and over those before the range', async () => {
  const days = 'from=2026-10-01T00:00:00Z&to=2026-10-04T00:00:00Z&window=day'
  // 2 October: eu 100 and then 300 from noon; us 50 until six in the evening.
  expect(await itemsOf(`storage/usage?${days}`)).toEqual(['150', '237.5', '300'])
  expect(await itemsOf(`storage/usage?${days}&groupBy=region&filter.region=us`)).toEqual([
    'us 50',
    'us 37.5',
    'us 0',
  ])
  expect(await itemsOf(`storage/usage?${days}&subject=nobody`)).toEqual(['0', '0', '0'])
})

test('the peak of a total is found among its instants, not among the peaks of its parts', async () => {
  const days = 'from=2026-10-01T00:00:00Z&to=2026-10-04T00:00:00Z&window=day'
  expect(await itemsOf(`peak/usage?${days}`)).toEqual(['150', '350', '300'])
  expect(await itemsOf(`peak/usage?${days}&groupBy=subject,region`)).toEqual([
    'alice eu 100',
    'alice us 50',
    'alice eu 300',
    'alice us 50',
    'alice eu 300',
    'alice us 0',
  ])
})
