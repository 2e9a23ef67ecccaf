import { withSealingLease } from '@tidemark/aggregator/sealing/lease.ts'
import { readLastPass } from '@tidemark/aggregator/sealing/pass-store.ts'
import { readUsage, recompute } from '@tidemark/aggregator/usage/usage-reader.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bytes, openSealingRoom, type SealingRoom } from './sealing-room.ts'
import { at } from './usage-log.ts'
import { usageLogOf } from './usage-room.ts'

let room: SealingRoom
beforeEach(async () => {
  room = await openSealingRoom('sealing')
})
afterEach(() => room?.close())

test('an hour is sealed when it is over in every partition, and its value stays what it was', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  room.append('2026-10-05T10:59:59.999999Z', '2.5')
  room.append('2026-10-05T11:00:00Z', 4)
  await room.log.write(at('2026-10-05T10:59:59Z'))
  expect(await room.seal()).toMatchObject({ sealedCells: 0, dirtyCells: 2 })
  expect(await room.total(meter)).toBe('7.5')
  await room.log.write(at('2026-10-05T11:00:00Z'))
  expect(await room.seal()).toMatchObject({ sealedCells: 1, dirtyCells: 1 })
  expect(await room.seals()).toMatchObject([{ hour: '10', count: '2', matched: '2' }])
  expect(await room.total(meter)).toBe('7.5')
})

test('sealed hours are read, not recomputed', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T12:00:00Z'))
  await room.seal()
  await room.clickHouse.command('TRUNCATE TABLE usage_events')
  expect(await room.total(meter)).toBe('1')
  expect(await room.total(meter, recompute)).toBe('0')
})

test('a late event makes its own hour dirty and no other, and is counted before it is sealed again', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  room.append('2026-10-05T11:00:00Z', 2)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  room.append('2026-10-05T10:30:00Z', 4)
  room.log.appendRejected(3)
  await room.log.write(at('2026-10-05T13:00:01Z'))
  expect(await room.total(meter)).toBe('7')
  expect(await room.seal()).toMatchObject({ sealedCells: 1, dirtyCells: 0 })
  expect((await room.seals()).map(({ hour, count }) => `${hour}: ${count}`)).toEqual([
    '10: 1',
    '10: 2',
    '11: 1',
  ])
  expect(await room.total(meter)).toBe('7')
  expect(await room.total(meter, recompute)).toBe('7')
})

test('a late event that a pass leaves for later is counted although no later offset tells of it', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  room.append('2026-10-05T11:00:00Z', 2)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  room.append('2026-10-05T10:30:00Z', 4)
  await room.log.write(at('2026-10-05T13:00:01Z'))
  // A new meter is what makes the pass complete although it waits for the hour to settle.
  await room.register('acme', { ...bytes, key: 'again' })
  expect(await room.seal({ patient: true })).toMatchObject({ sealedCells: 1, dirtyCells: 1 })
  expect(await room.total(meter)).toBe('7')
  expect(await room.seal()).toMatchObject({ sealedCells: 1, dirtyCells: 0 })
  expect(await room.total(meter)).toBe('7')
})

test('an older cut reads as it did, whatever has been sealed since', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1, 'alice')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  const { cut } = await readWatermarks(room.clickHouse, usageLogOf)
  await room.seal()
  room.append('2026-10-05T10:30:00Z', 4)
  await room.log.write(at('2026-10-05T13:00:01Z'))
  await room.seal()
  const query = { meter, cut, timeZone: 'UTC', groupBySubject: false, groupByDimensions: [] }
  const range = { from: at('2026-10-05T00:00:00Z'), to: at('2026-10-06T00:00:00Z') }
  const asked = { ...query, ...range, windowStarts: [range.from], offset: 0, limit: 1 }
  expect((await readUsage(room.clickHouse, asked)).map(({ value }) => value)).toEqual(['1'])
})

test('a pass with nothing new writes nothing, and one at the same cut writes the same rows', async () => {
  await room.register()
  for (let minute = 10; minute < 40; minute += 1)
    room.append(`2026-10-05T10:${minute}:00Z`, minute, `s${minute % 7}`)
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
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  await room.clickHouse.command('TRUNCATE TABLE usage_seal_passes')
  await room.clickHouse.command(
    'ALTER TABLE usage_hourly UPDATE sum = 99 WHERE 1 SETTINGS mutations_sync = 2',
  )
  expect(await room.total(meter)).toBe('1')
})

test('a new meter, and a new version of one, are filled from the events that exist', async () => {
  const first = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  room.append('2026-10-06T11:00:00Z', 2)
  await room.log.write(at('2026-10-07T13:00:00Z'))
  await room.seal()
  const calls = await room.register('acme', { key: 'calls', eventType: 'api.call', aggregation: 'count' })
  const second = await room.register('acme', { ...bytes, filters: [{ path: 'bytes', in: ['2'] }] })
  const unused = await room.register('other', bytes)
  expect([await room.total(calls), await room.total(second), await room.total(first)]).toEqual([
    '2',
    '2',
    '3',
  ])
  expect(await room.seal()).toMatchObject({ sealedCells: 2, dirtyCells: 0 })
  await room.clickHouse.command('TRUNCATE TABLE usage_events')
  expect([
    await room.total(calls),
    await room.total(second),
    await room.total(first),
    await room.total(unused),
  ]).toEqual(['2', '2', '3', '0'])
  expect((await room.seals()).map(({ count, matched }) => `${matched} of ${count}`).sort()).toEqual([
    ...Array.from({ length: 1 }, () => '0 of 1'),
    ...Array.from({ length: 7 }, () => '1 of 1'),
  ])
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
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  const stalled = await room.stalledSealer()
  room.append('2026-10-05T10:30:00Z', 2)
  await room.log.write(at('2026-10-05T13:00:01Z'))
  await room.seal()
  const pass = await readLastPass(room.clickHouse)
  await stalled.goOn()
  expect(await readLastPass(room.clickHouse)).toEqual(pass)
  await room.clickHouse.command('TRUNCATE TABLE usage_events')
  expect(await room.total(meter)).toBe('3')
})

test('rows of a seal that were written again, as a sealer does that goes on late, count once', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  room.append('2026-10-05T11:00:00Z', 2)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  const { clickHouse } = room
  await clickHouse.command('SYSTEM STOP MERGES usage_hourly')
  await clickHouse.command('INSERT INTO usage_hourly SELECT * FROM usage_hourly')
  const [row] = await clickHouse.query<{ rows: string }>('SELECT count() AS rows FROM usage_hourly')
  expect(row).toEqual({ rows: '4' })
  await clickHouse.command('TRUNCATE TABLE usage_events')
  expect(await room.total(meter)).toBe('3')
  expect(await room.total(meter, readUsage, '2026-10-01T00:00:00Z', ['alice'])).toBe('3')
})

test('more cells than one pass takes are sealed by several', async () => {
  const meter = await room.register()
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
  expect(await room.total(meter, readUsage, '2026-03-01T00:00:00Z')).toBe('2100')
  expect(await room.seal()).toMatchObject({ sealedCells: 100, dirtyCells: 0, hasMore: false })
  expect(await room.total(meter, readUsage, '2026-03-01T00:00:00Z')).toBe('2100')
})
