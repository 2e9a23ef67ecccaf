import { randomBytes } from 'node:crypto'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { NativeBlock } from '@tidemark/infra/clickhouse/native-block.ts'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

const stack = inject('stackEnvironment')
const database = `ch_${randomBytes(4).toString('hex')}`
const server = {
  url: stack.CLICKHOUSE_URL ?? '',
  user: stack.CLICKHOUSE_USER ?? '',
  password: stack.CLICKHOUSE_PASSWORD ?? '',
}
const clickHouse = createClickHouse({ ...server, database: 'default' })
const table = `${database}.things`

beforeAll(async () => {
  await clickHouse.command(`CREATE DATABASE ${database}`)
  await clickHouse.command(
    `CREATE TABLE ${table} (key UInt64, amount Decimal(38, 9), time DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY key`,
  )
})

afterAll(async () => {
  await clickHouse.command(`DROP DATABASE ${database} SYNC`)
  await clickHouse.close()
})

const largest = {
  key: '18446744073709551615',
  amount: '12345678901234567890.000000001',
  time: '2026-01-31T23:59:59.123456Z',
}

test('integers, decimals and times come back as they went in', async () => {
  await clickHouse.insert(table, [{ ...largest, key: 18446744073709551615n }])
  const rows = await clickHouse.query(`SELECT * FROM ${table} WHERE key = {key:UInt64}`, {
    key: 18446744073709551615n,
  })
  expect(rows).toEqual([largest])
})

test('Native goes in as it is, several blocks at once, and again: the server never takes an insert for a duplicate', async () => {
  const kinds = `${database}.kinds`
  await clickHouse.command(
    `CREATE TABLE ${kinds} (
       small UInt8, verdict Enum8('yes' = 1, 'no' = 2), word UInt16, count UInt32, key UInt64, at DateTime('UTC'),
       time DateTime64(6, 'UTC'), hash FixedString(2), name String, tenant LowCardinality(String)
     ) ENGINE = MergeTree ORDER BY key`,
  )
  const long = 'é'.repeat(100)
  const names = Buffer.concat([Buffer.from([2]), Buffer.from('ab'), Buffer.from([200, 1]), Buffer.from(long)])
  const block = (first: number): NativeBlock =>
    new NativeBlock(2)
      .uint8('small', Uint8Array.of(7, 255))
      .int8('verdict', Uint8Array.of(1, 2))
      .uint16('word', 65_535)
      .uint32('count', Uint32Array.of(0, 4_294_967_295))
      .uint64('key', Float64Array.of(first, 9_007_199_254_740_991))
      .seconds('at', Uint32Array.of(0, 1_769_903_999))
      .micros('time', Float64Array.of(0, 1_769_903_999_123_456))
      .fixed('hash', 2, Buffer.from('xyzw'))
      .text('name', names)
      .dictionary('tenant', { texts: ['acme', ''], indexes: Uint32Array.of(1, 0) })
  const blocks = [block(7), new NativeBlock(0), block(8)].map((each) => each.bytes())
  for (let copy = 0; copy < 2; copy += 1) await clickHouse.insertNative(kinds, block(7).columns, blocks)
  const plain = { small: 7, verdict: 'yes', word: 65_535, count: 0, at: '1970-01-01T00:00:00Z' }
  const least = { ...plain, time: '1970-01-01T00:00:00.000000Z', hash: 'xy', name: 'ab', tenant: '' }
  const most = {
    small: 255,
    verdict: 'no',
    word: 65_535,
    count: 4_294_967_295,
    key: '9007199254740991',
    at: '2026-01-31T23:59:59Z',
    time: '2026-01-31T23:59:59.123456Z',
    hash: 'zw',
    name: long,
    tenant: 'acme',
  }
  const rows = await clickHouse.query(`SELECT * FROM ${kinds} ORDER BY key`)
  const small = ['7', '7', '8', '8'].map((key) => ({ ...least, key }))
  expect(rows).toEqual([...small, most, most, most, most])
})

test('a dictionary may have more texts than a byte, or two, can number', async () => {
  const words = `${database}.words`
  await clickHouse.command(
    `CREATE TABLE ${words} (at UInt32, word LowCardinality(String)) ENGINE = MergeTree ORDER BY at`,
  )
  for (const count of [256, 257, 70_000]) {
    await clickHouse.command(`TRUNCATE TABLE ${words}`)
    const indexes = Uint32Array.from({ length: count }, (_, at) => at)
    const block = new NativeBlock(count)
      .uint32('at', indexes)
      .dictionary('word', { texts: Array.from(indexes, (at) => `w${at}`), indexes })
    await clickHouse.insertNative(words, block.columns, [block.bytes()])
    const wrong = `SELECT count() AS n, countIf(word != concat('w', toString(at))) AS wrong FROM ${words}`
    expect(await clickHouse.query(wrong)).toEqual([{ n: String(count), wrong: '0' }])
  }
})

test('rows stream, and a reader that stops early ends the query', async () => {
  let count = 0
  for await (const row of clickHouse.stream<{ number: string }>('SELECT number FROM numbers(100000000000)')) {
    expect(row.number).toBe(String(count))
    count += 1
    if (count === 100_000) break
  }
  await expect
    .poll(
      () =>
        clickHouse.query(
          "SELECT query FROM system.processes WHERE query LIKE '%numbers(100000000000)%' AND query NOT LIKE '%processes%'",
        ),
      {
        timeout: 10_000,
      },
    )
    .toEqual([])
})

test.each([
  ['a mistake in the statement', 'SELEC 1', 'clickhouse_syntax_error', false],
  ['an unknown table', 'SELECT * FROM nowhere', 'clickhouse_unknown_table', false],
  [
    'too little memory',
    'SELECT groupArray(number) FROM numbers(100000000) SETTINGS max_memory_usage = 10000000',
    'clickhouse_memory_limit_exceeded',
    true,
  ],
])('%s is named and known to be worth another attempt or not', async (_name, sql, code, retryable) => {
  await expect(clickHouse.query(sql)).rejects.toMatchObject({ code, retryable })
})

test('an error in the middle of a stream is not taken for its end', async () => {
  const read = async () => {
    for await (const _row of clickHouse.stream('SELECT throwIf(number = 500000) FROM numbers(1000000)'));
  }
  await expect(read()).rejects.toMatchObject({ code: 'clickhouse_function_throw_if_value_is_non_zero' })
})

test('a ping tells a wrong password', async () => {
  await clickHouse.ping()
  const stranger = createClickHouse({ ...server, password: 'wrong', database: 'default' })
  await expect(stranger.ping()).rejects.toMatchObject({
    code: 'clickhouse_authentication_failed',
    retryable: false,
  })
  await stranger.close()
})
