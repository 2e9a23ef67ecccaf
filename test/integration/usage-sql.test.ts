import { atCut, eventHash, meterSql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openUsageRoom, type UsageRoom } from './usage-room.ts'

let room: UsageRoom
beforeAll(async () => {
  room = await openUsageRoom('usagesql')
})
afterAll(() => room?.close())

const sumOf = (valuePath: string): Meter => ({ key: 'bytes', eventType: 'x', aggregation: 'sum', valuePath })

/** What a meter makes of one document. */
async function read(meter: Meter, data: string) {
  const { quantity, matches, dimensions, params } = meterSql(meter)
  const [row] = await room.clickHouse.query<{
    quantity: string | null
    matches: number
    dimensions: string[]
  }>(
    `SELECT toString(${quantity}) AS quantity, toUInt8(${matches}) AS matches, ${dimensions} AS dimensions
     FROM (SELECT {data:String} AS data)`,
    { ...params, data },
  )
  return row
}

const quantityOf = async (value: string) => (await read(sumOf('v'), `{"v":${value}}`))?.quantity

test.each([
  ['1', '1'],
  ['-5', '-5'],
  ['1.5', '1.5'],
  ['"1.5"', '1.5'],
  ['0.1', '0.1'],
  ['9007199254740991', '9007199254740991'],
  ['0.0000001', '0.0000001'],
  ['0.000000123', '0.000000123'],
  ['-0.0000005', '-0.0000005'],
  ['123456789.123456', '123456789.123456'],
  ['"0.000000001"', '0.000000001'],
  ['"12345678901234567890123456789.123456789"', '12345678901234567890123456789.123456789'],
  ['"-99999999999999999999999999999.999999999"', '-99999999999999999999999999999.999999999'],
])('%s is the quantity %s', async (value, quantity) => {
  expect(await quantityOf(value)).toBe(quantity)
})

test.each([
  'null',
  'true',
  '[1]',
  '{"a":1}',
  '""',
  '" 1"',
  '"+1"',
  '"1e5"',
  '"1e-7"',
  '"1,5"',
  '"0x10"',
  '"NaN"',
  '"0.0000000001"',
  '0.0000000001',
  '0.00000012345',
  '"123456789012345678901234567890"',
])('%s is no quantity, and is not taken for one that it resembles', async (value) => {
  expect(await quantityOf(value)).toBeNull()
})

test('what is missing, and what has no data at all, is no quantity', async () => {
  expect((await read(sumOf('v'), '{"w":1}'))?.quantity).toBeNull()
  expect((await read(sumOf('v'), ''))?.quantity).toBeNull()
  expect((await read(sumOf('v.w'), '{"v":3}'))?.quantity).toBeNull()
})

test('a path leads into objects, and is not mistaken for a name with a dot', async () => {
  expect((await read(sumOf('a.b'), '{"a":{"b":7},"a.b":8}'))?.quantity).toBe('7')
})

test('a count counts one, whatever the data', async () => {
  expect((await read({ key: 'calls', eventType: 'x', aggregation: 'count' }, ''))?.quantity).toBe('1')
})

test('dimensions are texts in the order of their names; what is missing is empty', async () => {
  const meter: Meter = {
    key: 'calls',
    eventType: 'x',
    aggregation: 'count',
    dimensions: { zone: 'z', area: 'a.b', port: 'p', gone: 'g' },
  }
  const row = await read(meter, '{"a":{"b":"ü\\"q\\""},"p":8080,"z":true}')
  expect(row?.dimensions).toEqual(['ü"q"', '', '8080', 'true'])
})

test('filters must all match, by the text of the value', async () => {
  const meter: Meter = {
    key: 'calls',
    eventType: 'x',
    aggregation: 'count',
    filters: [
      { path: 'method', in: ['GET', "it's\\"] },
      { path: 'status', in: ['200'] },
    ],
  }
  expect((await read(meter, '{"method":"GET","status":200}'))?.matches).toBe(1)
  expect((await read(meter, '{"method":"it\'s\\\\","status":"200"}'))?.matches).toBe(1)
  expect((await read(meter, '{"method":"GET","status":500}'))?.matches).toBe(0)
  expect((await read(meter, '{"status":200}'))?.matches).toBe(0)
})

test('the hash of a set of events wraps at 2^128 and does not depend on their order or on the table', async () => {
  const hashOver = async (order: string) => {
    const [row] = await room.clickHouse.query<{ hash: string; type: string }>(
      `SELECT toString(${eventHash}) AS hash, toTypeName(${eventHash}) AS type FROM (
         SELECT toUInt16(1) AS log, toUInt16(number % 8) AS partition, number AS offset,
           toFixedString(leftPad(toString(number), 16, '0'), 16) AS payload_hash
         FROM numbers(1000) ORDER BY ${order})`,
    )
    return row
  }
  const forward = await hashOver('number')
  expect(forward?.type).toBe('UInt128')
  expect(await hashOver('number DESC')).toEqual(forward)
  const [wrapped] = await room.clickHouse.query<{ sum: string }>(
    `SELECT toString(sum(toUInt128('340282366920938463463374607431768211455'))) AS sum FROM numbers(3)`,
  )
  expect(BigInt(wrapped?.sum ?? 0)).toBe(2n ** 128n - 3n)
})

test('a cut takes the offsets below its end, to the last of 64 bits, and nothing of a partition that it does not name', async () => {
  const { sql, params } = atCut([
    { log: 1, partition: 0, offset: 2n },
    { log: 2, partition: 65_535, offset: 2n ** 64n - 1n },
  ])
  const rows = await room.clickHouse.query<{ row: string }>(
    `SELECT concat(toString(log), '/', toString(partition), ':', toString(offset)) AS row
     FROM (SELECT toUInt16(1 + number % 2) AS log, toUInt16(arrayJoin([0, 65535])) AS partition,
       arrayJoin([0, 1, 2, 18446744073709551614])::UInt64 AS offset FROM numbers(2))
     WHERE ${sql} ORDER BY log, partition, offset`,
    params,
  )
  expect(rows.map(({ row }) => row)).toEqual([
    '1/0:0',
    '1/0:1',
    '2/65535:0',
    '2/65535:1',
    '2/65535:2',
    '2/65535:18446744073709551614',
  ])
})

test('an empty cut takes nothing', async () => {
  const { sql, params } = atCut([])
  const rows = await room.clickHouse.query(
    `SELECT 1 FROM (SELECT toUInt16(1) AS log, toUInt16(0) AS partition, toUInt64(0) AS offset) WHERE ${sql}`,
    params,
  )
  expect(rows).toEqual([])
})
