import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSealingRoom, type SealingRoom } from './sealing-room.ts'
import { at } from './usage-log.ts'

let room: SealingRoom
beforeEach(async () => {
  room = await openSealingRoom('sealing')
})
afterEach(() => room?.close())

test('an hour with a raw event missing stays dirty and is sealed once the event is there', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  const lost = room.append('2026-10-05T10:30:00Z', 2)
  room.append('2026-10-05T11:00:00Z', 4)
  await room.log.write(at('2026-10-05T13:00:00Z'), { withoutRaw: (entry) => entry === lost })
  expect(await room.seal()).toMatchObject({ sealedCells: 1, unprovedCells: 1, dirtyCells: 1 })
  expect((await room.seals()).map(({ hour }) => hour)).toEqual(['11'])
  expect(await room.total(meter)).toBe('5')
  await room.log.writeRaw(lost)
  expect(await room.seal()).toMatchObject({ sealedCells: 1, unprovedCells: 0, dirtyCells: 0 })
  expect(await room.total(meter)).toBe('7')
})

test('a raw event of another content keeps its hour dirty too', async () => {
  await room.register()
  const entry = room.append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T13:00:00Z'), { withoutRaw: () => true })
  await room.log.writeRaw({ ...entry, data: { bytes: 2 } })
  expect(await room.seal()).toMatchObject({ sealedCells: 0, unprovedCells: 1 })
})

test('a correction that reads would not find keeps its hour dirty: the event would count twice', async () => {
  const meter = await room.register()
  room.log.correct(room.append('2026-10-05T10:00:00Z', 1), { data: { bytes: 2 } })
  await room.log.write(at('2026-10-05T13:00:00Z'))
  const kept = await room.clickHouse.query<Record<string, unknown>>(
    'SELECT * EXCEPT superseded_hour, toUnixTimestamp(superseded_hour) AS superseded_hour FROM usage_corrections',
  )
  await room.clickHouse.command('TRUNCATE TABLE usage_corrections')
  expect(await room.seal()).toMatchObject({ sealedCells: 0, unprovedCells: 1 })
  await room.clickHouse.insert('usage_corrections', kept)
  expect(await room.seal()).toMatchObject({ sealedCells: 1, unprovedCells: 0 })
  expect(await room.seals()).toMatchObject([{ hour: '10', count: '2', matched: '1' }])
  expect(await room.total(meter)).toBe('2')
})

test('a raw event that the ledger does not know yet is not counted', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1, 'alice')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.log.writeRaw({ ...room.append('2026-10-05T10:30:00Z', 4), partition: 0, offset: 1 })
  expect(await room.seal()).toMatchObject({ sealedCells: 1, unprovedCells: 0 })
  expect(await room.total(meter)).toBe('1')
})

test('a gap in the ledger stops sealing until it is filled or declared lost', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1, 'alice')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.clickHouse.command(
    'ALTER TABLE usage_ledger DELETE WHERE offset = 0 SETTINGS mutations_sync = 2',
  )
  await expect(room.seal()).rejects.toMatchObject({
    code: 'ledger_gap',
    message: 'The ledger lacks 1 of the offsets 0 to 0 of partition 0 in log 1',
  })
  expect(await room.seals()).toEqual([])
  expect(await room.total(meter)).toBe('1')
  const lost = { log: 1, partition: 0, first_offset: 0, last_offset: 0, reason: 'test', recorded_by: 'test' }
  await room.clickHouse.insert('usage_lost', [{ ...lost, recorded_at: '2026-10-06T00:00:00Z' }])
  expect(await room.seal()).toMatchObject({ sealedCells: 1 })
})

test('values that are no quantities are counted and never taken for zero', async () => {
  const meter = await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  room.append('2026-10-05T10:00:01Z', '123456789012345678901234567890')
  room.append('2026-10-05T10:00:02Z', 'many')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  const rows = await room.clickHouse.query('SELECT event_count, unreadable, sum FROM usage_hourly')
  expect(rows).toEqual([{ event_count: '3', unreadable: '2', sum: '1' }])
  expect(await room.total(meter)).toBe('1')
})

test('quantities of 29 integer digits and 9 decimals add up exactly, beyond 38 digits', async () => {
  const meter = await room.register()
  const largest = '99999999999999999999999999999.999999999'
  for (let event = 0; event < 12; event += 1) room.append(`2026-10-05T10:00:${10 + event}Z`, largest)
  room.append('2026-10-05T11:00:00Z', '0.000000001')
  await room.log.write(at('2026-10-05T13:00:00Z'))
  const expected = '1199999999999999999999999999999.999999989'
  expect(await room.total(meter)).toBe(expected)
  await room.seal()
  await room.clickHouse.command('TRUNCATE TABLE usage_events')
  expect(await room.total(meter)).toBe(expected)
})

test('watermarks behind the last pass stop sealing', async () => {
  await room.register()
  room.append('2026-10-05T10:00:00Z', 1)
  await room.log.write(at('2026-10-05T13:00:00Z'))
  await room.seal()
  await room.clickHouse.command('TRUNCATE TABLE usage_watermarks')
  await expect(room.seal()).rejects.toMatchObject({ code: 'watermark_behind_seals' })
})
