import { randomBytes } from 'node:crypto'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
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

test('RowBinary goes in as it is, and again: the server never takes an insert for a duplicate', async () => {
  const row = Buffer.alloc(32)
  row.writeBigUInt64LE(7n, 0)
  row.writeBigInt64LE(1_500_000_000n, 8)
  row.writeBigInt64LE(1_769_903_999_123_456n, 24)
  for (let copy = 0; copy < 2; copy += 1)
    await clickHouse.insertRowBinary(table, ['key', 'amount', 'time'], row)
  const seven = { key: '7', amount: '1.5', time: '2026-01-31T23:59:59.123456Z' }
  expect(await clickHouse.query(`SELECT * FROM ${table} WHERE key = 7`)).toEqual([seven, seven])
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
