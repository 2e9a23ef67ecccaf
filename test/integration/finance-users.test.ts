import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { financeDatabase, financeViews } from '@tidemark/aggregator/finance/finance-views.ts'
import { createFinancePublication } from '@tidemark/aggregator/finance/publication.ts'
import { createCompleteness } from '@tidemark/aggregator/usage/completeness.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FinanceRoom, openFinanceRoom } from './finance-room.ts'
import { at } from './usage-log.ts'
import { usageLogOf } from './usage-room.ts'

let room: FinanceRoom

beforeAll(async () => {
  room = await openFinanceRoom('fin')
  for (const tenant of ['acme', 'globex']) {
    const meter = { key: 'bytes', eventType: 'api.call', aggregation: 'sum', valuePath: 'bytes' } as const
    await room.meters.register(tenant, meter)
    for (const bytes of ['0.000000001', 'none']) {
      const entry = room.log.append({
        tenant,
        type: 'api.call',
        subject: `${tenant}-1`,
        time: at('2026-03-05T10:00:00Z'),
        data: { bytes },
        acceptedAt: at('2026-03-07T00:00:00Z'),
      })
      if (bytes !== 'none') room.log.correct(entry, { data: { bytes: 5 } })
    }
  }
  await room.log.write(at('2026-03-08T00:00:00Z'))
  const watermarks = await readWatermarks(room.clickHouse, usageLogOf)
  const publication = createFinancePublication(room.clickHouse, createCompleteness())
  await publication.publish(watermarks, await room.meters.all())
  await room.seal()
  await room.giveUsers({ finance: '*', acme: 'acme' })
})
afterAll(() => room?.close())

const tenantsOf = async (user: string, view: string): Promise<unknown[]> => {
  const { rows } = await room.ask(user, `SELECT DISTINCT tenant FROM ${view} ORDER BY tenant`)
  return rows.map(({ tenant }) => tenant)
}

test('every view of the database is listed, and nothing else is', async () => {
  const tables = await room.clickHouse.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = {database:String}',
    { database: financeDatabase(room.installation.database) },
  )
  expect(tables.map(({ name }) => name).sort()).toEqual([...financeViews].sort())
})

test.each(financeViews)('%s shows all tenants to finance and its own rows to a tenant', async (view) => {
  expect(await tenantsOf('finance', view)).toEqual(['acme', 'globex'])
  expect(await tenantsOf('acme', view)).toEqual(['acme'])
  const others = await room.ask('acme', `SELECT * FROM ${view} WHERE tenant = 'globex'`)
  expect(others).toMatchObject({ ok: true, rows: [] })
  // A condition is never asked about rows that the user may not see: its error would tell of them.
  const probe = await room.ask('acme', `SELECT tenant FROM ${view} WHERE throwIf(tenant = 'globex') = 0`)
  expect(probe).toMatchObject({ ok: true })
})

describe('refused are', () => {
  const refusals: [string, (database: string) => string][] = [
    ['tables below the views', (database) => `SELECT * FROM ${database}.usage_events`],
    ['views below the views', (database) => `SELECT * FROM ${database}.usage_pieces`],
    ['parts of the server', () => 'SELECT * FROM system.parts'],
    ['running queries', () => 'SELECT * FROM system.processes'],
    ['other users', () => 'SELECT * FROM system.users'],
    [
      'table function view over tables',
      (database) => `SELECT * FROM view(SELECT * FROM ${database}.usage_events)`,
    ],
    ['table function merge', (database) => `SELECT * FROM merge('${database}', 'usage_events')`],
    ['table function url', () => "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')"],
    ['table function file', () => "SELECT * FROM file('/etc/hostname', 'CSV', 'a String')"],
    ['table function s3', () => "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'CSV', 'a String')"],
    ['table function remote', () => "SELECT * FROM remote('127.0.0.1:1', 'a.b')"],
    ['table function postgresql', () => "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')"],
    ['table function executable', () => "SELECT * FROM executable('x', 'CSV', 'a String')"],
  ]
  test.each(refusals)('%s', async (_what, sql) => {
    const { ok, text } = await room.ask('finance', sql(room.installation.database))
    expect(ok, text).toBe(false)
    expect(text).toMatch(/ACCESS_DENIED|CANNOT_EXTRACT_TABLE_STRUCTURE/)
  })

  const writes = [
    "INSERT INTO usage_by_day (tenant) VALUES ('acme')",
    'CREATE TABLE a (b String) ENGINE = Memory',
    'DROP VIEW usage_by_day',
    'SYSTEM FLUSH LOGS',
    "CREATE USER a IDENTIFIED BY 'b'",
    'SELECT 1 SETTINGS max_execution_time = 0',
  ]
  test.each(writes)('%s', async (sql) => {
    const { ok, text } = await room.ask('finance', sql)
    expect(ok, text).toBe(false)
    expect(text).toMatch(/ACCESS_DENIED|READONLY/)
  })

  test('wrong passwords', async () => {
    const address = room.installation.env.CLICKHOUSE_URL ?? ''
    const headers = {
      'x-clickhouse-user': `${room.installation.prefix.replaceAll('-', '_')}acme`,
      'x-clickhouse-key': 'x',
    }
    const response = await fetch(address, { method: 'POST', headers, body: 'SELECT 1' })
    expect(response.status).toBe(403)
  })
})

test('the examples of docs/finance.md run as they stand', async () => {
  const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'finance.md'), 'utf8')
  const examples = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql = '']) => sql)
  expect(examples.length).toBeGreaterThan(8)
  for (const sql of examples) {
    const { ok, text } = await room.ask('finance', sql)
    expect(ok, `${sql}\n${text}`).toBe(true)
  }
})

test('users written anew: another tenant reads its own, who is gone is refused, other limits hold', async () => {
  await room.giveUsers(
    { finance: '*', globex: 'globex' },
    { seconds: 8, memoryBytes: 100_000_000, rowsRead: 2_000_000, rowsAnswered: 100 },
  )
  expect(await tenantsOf('globex', 'usage_by_day')).toEqual(['globex'])
  expect(await tenantsOf('finance', 'usage_by_day')).toEqual(['acme', 'globex'])
  expect((await room.ask('acme', 'SELECT 1')).text).toContain('AUTHENTICATION_FAILED')
  const said = async (sql: string) => (await room.ask('finance', sql)).text
  expect(await said('SELECT number FROM numbers(101)')).toContain('TOO_MANY_ROWS_OR_BYTES')
  expect(await said('SELECT count() FROM numbers(2000001) WHERE sipHash64(number) = 1')).toContain(
    'TOO_MANY_ROWS',
  )
  expect(
    await said('SELECT length(groupArray(repeat(toString(number), 100))) FROM numbers(1000000)'),
  ).toContain('MEMORY_LIMIT_EXCEEDED')
  expect(
    await said('SELECT count() FROM numbers(200000) AS a, numbers(200000) AS b WHERE a.number < b.number'),
  ).toContain('TIMEOUT_EXCEEDED')
})
