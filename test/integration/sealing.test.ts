import { withSealingLease } from '@tidemark/aggregator/sealing/lease.ts'
import { readLastPass } from '@tidemark/aggregator/sealing/pass-store.ts'
import { readUsage, recompute } from '@tidemark/aggregator/usage/usage-reader.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { at } from './usage-log.ts'
import { openUsageRoom, type UsageRoom, usageLogOf } from './usage-room.ts'

let room: UsageRoom
beforeEach(async () => {
  room = await openUsageRoom('sealing')
})
afterEach(() => room?.close())

const bytes = { key: 'bytes', eventType: 'api.call', aggregation: 'sum', valuePath: 'bytes' } as const

const register = async (tenant = 'acme', meter: Parameters<UsageRoom['meters']['register']>[1] = bytes) =>
  (await room.meters.register(tenant, meter)).meter

function append(time: string, amount: number | string, subject = 'alice', tenant = 'acme') {
  return room.log.append({ tenant, type: 'api.call', subject, time: at(time), data: { bytes: amount } })
}

async function total(meter: MeterVersion, read = readUsage, from = '2026-10-01T00:00:00Z') {
  const { cut } = await readWatermarks(room.clickHouse, usageLogOf)
  const start = at(from)
  const [row] = await read(room.clickHouse, {
    meter,
    cut,
    from: start,
    to: at('2026-11-01T00:00:00Z'),
    windowStarts: [start],
    subject: undefined,
    groupBySubject: false,
    groupByDimensions: [],
    offset: 0,
    limit: 1,
  })
  return row?.value ?? '0'
}

type SealRow = { hour: string; version: string; count: string; matched: string }
const seals = () =>
  room.clickHouse.query<SealRow>(
    `SELECT formatDateTime(hour, '%H') AS hour, toString(seal_version) AS version,
       toString(event_count) AS count, toString(matched_count) AS matched
     FROM usage_seals ORDER BY hour, seal_version`,
  )

test('an hour is sealed when it is over in every partition, and its value stays what it was', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1)
  append('2026-10-05T10:59:59.999999Z', '2.5')
  append('2026-10-05T11:00:00Z', 4)
  await room.log.write(at('2026-10-05T10:59:59Z'))
  expect(await room.seal()).toMatchObject({ sealedCells: 0, dirtyCells: 2 })
  expect(await total(meter)).toBe('7.5')
  await room.log.write(at('2026-10-05T11:00:00Z'))
  expect(await room.seal()).toMatchObject({ sealedCells: 1, dirtyCells: 1 })
  expect(await seals()).toMatchObject([{ hour: '10', count: '2', matched: '2' }])
  expect(await total(meter)).toBe('7.5')
})

test('sealed hours are read, not recomputed', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T12:00:00Z'))
  await room.seal()
  await room.clickHouse.command('TRUNCATE TABLE usage_events')
  expect(await total(meter)).toBe('1')
  expect(await total(meter, recompute)).toBe('0')
})

test('a late event makes its own hour dirty and no other, and is counted before it is sealed again', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1)
  append('2026-10-05T11:00:00Z', 2)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  append('2026-10-05T10:30:00Z', 4)
  room.log.appendRejected(3)
  await room.log.write(at('2026-10-05T13:00:01Z'))
  expect(await total(meter)).toBe('7')
  expect(await room.seal()).toMatchObject({ sealedCells: 1, dirtyCells: 0 })
  expect((await seals()).map(({ hour, count }) => `${hour}: ${count}`)).toEqual(['10: 1', '10: 2', '11: 1'])
  expect(await total(meter)).toBe('7')
  expect(await total(meter, recompute)).toBe('7')
})

test('an older cut reads as it did, whatever has been sealed since', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1, 'alice')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  const { cut } = await readWatermarks(room.clickHouse, usageLogOf)
  await room.seal()
  append('2026-10-05T10:30:00Z', 4)
  await room.log.write(at('2026-10-05T13:00:01Z'))
  await room.seal()
  const query = { meter, cut, subject: undefined, groupBySubject: false, groupByDimensions: [] }
  const range = { from: at('2026-10-05T00:00:00Z'), to: at('2026-10-06T00:00:00Z') }
  const asked = { ...query, ...range, windowStarts: [range.from], offset: 0, limit: 1 }
  expect((await readUsage(room.clickHouse, asked)).map(({ value }) => value)).toEqual(['1'])
})

test('a pass with nothing new writes nothing, and one at the same cut writes the same rows', async () => {
  await register()
  for (let minute = 10; minute < 40; minute += 1)
    append(`2026-10-05T10:${minute}:00Z`, minute, `s${minute % 7}`)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  const snapshot = async () => ({
    hours: await room.clickHouse.query('SELECT DISTINCT * FROM usage_hourly ORDER BY ALL'),
    seals: await room.clickHouse.query('SELECT DISTINCT * FROM usage_seals ORDER BY ALL'),
    passes: await room.clickHouse.query('SELECT DISTINCT * FROM usage_seal_passes ORDER BY ALL'),
  })
  const first = await snapshot()
  expect(first.hours).toHaveLength(7)
  expect(await room.seal()).toMatchObject({ sealedCells: 0 })
  expect(await snapshot()).toEqual(first)
  // As if the first pass had ended before its last row.
  await room.clickHouse.command('TRUNCATE TABLE usage_seal_passes')
  expect(await room.seal()).toMatchObject({ sealedCells: 1 })
  expect(await snapshot()).toEqual(first)
})

test('seals without a completed pass are not read', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  await room.clickHouse.command('TRUNCATE TABLE usage_seal_passes')
  await room.clickHouse.command(
    'ALTER TABLE usage_hourly UPDATE sum = 99 WHERE 1 SETTINGS mutations_sync = 2',
  )
  expect(await total(meter)).toBe('1')
})

test('an hour with a raw event missing stays dirty and is sealed once the event is there', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1)
  const lost = append('2026-10-05T10:30:00Z', 2)
  append('2026-10-05T11:00:00Z', 4)
  await room.log.write(at('2026-10-05T13:00:00Z'), { withoutRaw: (entry) => entry === lost })
  expect(await room.seal()).toMatchObject({ sealedCells: 1, unprovedCells: 1, dirtyCells: 1 })
  expect((await seals()).map(({ hour }) => hour)).toEqual(['11'])
  expect(await total(meter)).toBe('5')
  await room.log.writeRaw(lost)
  expect(await room.seal()).toMatchObject({ sealedCells: 1, unprovedCells: 0, dirtyCells: 0 })
  expect(await total(meter)).toBe('7')
})

test('a raw event of another content keeps its hour dirty too', async () => {
  await register()
  const entry = append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T13:00:00Z'), { withoutRaw: () => true })
  await room.log.writeRaw({ ...entry, data: { bytes: 2 } })
  expect(await room.seal()).toMatchObject({ sealedCells: 0, unprovedCells: 1 })
})

test('a raw event that the ledger does not know yet is not counted', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1, 'alice')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.log.writeRaw({ ...append('2026-10-05T10:30:00Z', 4), partition: 0, offset: 1 })
  expect(await room.seal()).toMatchObject({ sealedCells: 1, unprovedCells: 0 })
  expect(await total(meter)).toBe('1')
})

test('a gap in the ledger stops sealing until it is filled or declared lost', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1, 'alice')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.clickHouse.command(
    'ALTER TABLE usage_ledger DELETE WHERE offset = 0 SETTINGS mutations_sync = 2',
  )
  await expect(room.seal()).rejects.toMatchObject({
    code: 'ledger_gap',
    message: 'The ledger lacks 1 of the offsets 0 to 0 of partition 0 in log 1',
  })
  expect(await seals()).toEqual([])
  expect(await total(meter)).toBe('1')
  const lost = { log: 1, partition: 0, first_offset: 0, last_offset: 0, reason: 'test', recorded_by: 'test' }
  await room.clickHouse.insert('usage_lost', [{ ...lost, recorded_at: '2026-10-06T00:00:00Z' }])
  expect(await room.seal()).toMatchObject({ sealedCells: 1 })
})

test('a new meter, and a new version of one, are filled from the events that exist', async () => {
  const first = await register()
  append('2026-10-05T10:00:00Z', 1)
  append('2026-10-06T11:00:00Z', 2)
  await room.log.write(at('2026-10-07T13:00:00Z'))
  await room.seal()
  const calls = await register('acme', { key: 'calls', eventType: 'api.call', aggregation: 'count' })
  const second = await register('acme', { ...bytes, filters: [{ path: 'bytes', in: ['2'] }] })
  const unused = await register('other', bytes)
  expect([await total(calls), await total(second), await total(first)]).toEqual(['2', '2', '3'])
  expect(await room.seal()).toMatchObject({ sealedCells: 2, dirtyCells: 0 })
  await room.clickHouse.command('TRUNCATE TABLE usage_events')
  expect([await total(calls), await total(second), await total(first), await total(unused)]).toEqual([
    '2',
    '2',
    '3',
    '0',
  ])
  expect((await seals()).map(({ count, matched }) => `${matched} of ${count}`).sort()).toEqual([
    ...Array.from({ length: 1 }, () => '0 of 1'),
    ...Array.from({ length: 7 }, () => '1 of 1'),
  ])
})

test('values that are no quantities are counted and never taken for zero', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1)
  append('2026-10-05T10:00:01Z', '123456789012345678901234567890')
  append('2026-10-05T10:00:02Z', 'many')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  const rows = await room.clickHouse.query('SELECT event_count, unreadable, sum, min, max FROM usage_hourly')
  expect(rows).toEqual([{ event_count: '3', unreadable: '2', sum: '1', min: '1', max: '1' }])
  expect(await total(meter)).toBe('1')
})

test('quantities of 29 integer digits and 9 decimals add up exactly, beyond 38 digits', async () => {
  const meter = await register()
  const largest = '99999999999999999999999999999.999999999'
  for (let event = 0; event < 12; event += 1) append(`2026-10-05T10:00:${10 + event}Z`, largest)
  append('2026-10-05T11:00:00Z', '0.000000001')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  const expected = '1199999999999999999999999999999.999999989'
  expect(await total(meter)).toBe(expected)
  await room.seal()
  await room.clickHouse.command('TRUNCATE TABLE usage_events')
  expect(await total(meter)).toBe(expected)
})

test('one process seals at a time, and the next takes over when its session ends', async () => {
  const [released, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const order: string[] = []
  const holder = withSealingLease(room.pool, async () => {
    order.push('first')
    released.resolve()
    await release.promise
  })
  await released.promise
  expect(await withSealingLease(room.pool, async () => void order.push('second'))).toBe(false)
  release.resolve()
  expect(await holder).toBe(true)
  expect(await withSealingLease(room.pool, async () => void order.push('third'))).toBe(true)
  expect(order).toEqual(['first', 'third'])
})

test('a sealer that stalled and goes on after a later pass changes nothing that is read', async () => {
  const meter = await register()
  append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  const stalled = await room.stalledSealer()
  append('2026-10-05T10:30:00Z', 2)
  await room.log.write(at('2026-10-05T13:00:01Z'))
  await room.seal()
  const pass = await readLastPass(room.clickHouse)
  await stalled.goOn()
  expect(await readLastPass(room.clickHouse)).toEqual(pass)
  await room.clickHouse.command('TRUNCATE TABLE usage_events')
  expect(await total(meter)).toBe('3')
})

test('watermarks behind the last pass stop sealing', async () => {
  await register()
  append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  await room.clickHouse.command('TRUNCATE TABLE usage_watermarks')
  await expect(room.seal()).rejects.toMatchObject({ code: 'watermark_behind_seals' })
})

test('more cells than one pass takes are sealed by several', async () => {
  const meter = await register()
  const start = at('2026-03-01T00:00:00Z')
  for (let hour = 0; hour < 2_100; hour += 1)
    room.log.append({
      tenant: 'acme',
      type: 'api.call',
      subject: 'alice',
      time: start + hour * 3_600_000_000,
      data: { bytes: 1 },
    })
  await room.log.write(at('2026-10-05T13:00:00Z'))
  expect(await room.seal()).toMatchObject({ sealedCells: 2_000, dirtyCells: 100, hasMore: true })
  expect(await total(meter, readUsage, '2026-03-01T00:00:00Z')).toBe('2100')
  expect(await room.seal()).toMatchObject({ sealedCells: 100, dirtyCells: 0, hasMore: false })
  expect(await total(meter, readUsage, '2026-03-01T00:00:00Z')).toBe('2100')
})
