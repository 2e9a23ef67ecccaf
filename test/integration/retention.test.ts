import { emptyTotals } from '@tidemark/aggregator/ledger/check/check.ts'
import { runCheck } from '@tidemark/aggregator/ledger/check/run-check.ts'
import { checkSealedHours } from '@tidemark/aggregator/ledger/check/sealed-hours.ts'
import { readKeptFrom } from '@tidemark/aggregator/retention/expire.ts'
import { purgeSeals } from '@tidemark/aggregator/retention/purge.ts'
import { expireMonths, type RetentionOrder } from '@tidemark/aggregator/retention/run.ts'
import { recompute } from '@tidemark/aggregator/usage/usage-reader.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSealingRoom, type SealingRoom } from './sealing-room.ts'
import { at } from './usage-log.ts'

let room: SealingRoom
let billing: Pool
let meter: MeterVersion

beforeAll(async () => {
  room = await openSealingRoom('retention')
  billing = room.installation.openPool('tidemark_invoicer')
  meter = await room.register()
  for (const time of ['2023-01-31T23:59:59Z', '2023-02-01T00:00:00Z', '2023-03-10T10:00:00Z'])
    room.append(time, 5)
  room.log.correct(room.append('2023-01-15T12:00:00Z', 7), { data: { bytes: 70 } })
  room.append('2026-10-10T10:00:00Z', 100)
  await room.log.write(at('2026-10-20T00:00:00Z'))
  await room.seal()
  await room.clickHouse.command('OPTIMIZE TABLE usage_events FINAL')
})
afterAll(() => room?.close())

const order: RetentionOrder = {
  retentionDays: 1_000,
  certificateDays: 727,
  now: at('2026-01-01T00:00:00Z'),
  dryRun: false,
}

const expire = (changes: Partial<RetentionOrder> = {}) =>
  expireMonths(
    { clickHouse: room.clickHouse, pool: room.pool, readMeters: room.meters.all },
    { ...order, ...changes },
  )

const totals = async () => [
  await room.total(meter, undefined, '2023-01-01T00:00:00Z'),
  await room.total(meter, recompute, '2023-01-01T00:00:00Z'),
]

/** Months of which any table but the ledger still speaks. */
async function monthsLeft(): Promise<number[]> {
  const rows = await room.clickHouse.query<{ month: number }>(
    `SELECT DISTINCT toYYYYMM(hour) AS month FROM (
       SELECT hour FROM usage_seals UNION ALL SELECT hour FROM usage_hourly
       UNION ALL SELECT hour FROM usage_ledger_by_cell UNION ALL SELECT toStartOfHour(time) FROM usage_events
       UNION ALL SELECT superseded_hour FROM usage_corrections) ORDER BY month`,
  )
  return rows.map(({ month }) => month)
}

const check = () =>
  runCheck(
    { clickHouse: room.clickHouse, readMeters: room.meters.all, tell: () => {} },
    { tenant: undefined, fromHour: undefined, toHour: undefined, payloads: true },
  )

async function subscribe(startedAt: string) {
  const now = '2023-01-01T00:00:00Z'
  await billing.query(
    `INSERT INTO billing.customers (tenant, key, name, email, currency, time_zone, created_at, updated_at)
     VALUES ('acme', 'c', 'c', 'c@example.com', 'EUR', 'UTC', $1, $1)`,
    [now],
  )
  await billing.query(`INSERT INTO billing.plans VALUES ('acme', 'p', $1)`, [now])
  await billing.query(
    `INSERT INTO billing.plan_versions VALUES ('acme', 'p', 1, 'published', '{}', repeat('0', 64), $1, $1)`,
    [now],
  )
  await billing.query(
    `INSERT INTO billing.subscriptions VALUES ('acme', 's', 'c', 'p', 1, 1, $1, NULL, 'active', 'tidemark', $2, $2)`,
    [startedAt, now],
  )
}

/** A period of the subscription as a close leaves it: claimed, with an invoice and its certificate. */
async function bill(start: string, end: string, issuedOn: string) {
  const { rows } = await billing.query<{ id: string }>(
    `INSERT INTO billing.invoices
     VALUES (gen_random_uuid(), 'acme', 'n', 'recurring', 'c', 's', $1, $2, 'EUR', 0, 'paid', $3, $2, $2, $2) RETURNING id`,
    [start, end, issuedOn],
  )
  const id = rows[0]?.id
  await billing.query(`INSERT INTO billing.certificates VALUES ($1, 'acme', '{}', repeat('0', 64))`, [id])
  await billing.query(
    `INSERT INTO billing.billing_claims
     VALUES ('acme', 's', $1, 'recurring', 1, $2, 'tidemark', $3, $2)`,
    [start, end, id],
  )
}

test('within the retention nothing goes', async () => {
  expect(await expire({ retentionDays: 1_100 })).toEqual({
    lines: ['No month ended more than 1100 days ago: nothing is to be removed.'],
    refused: 0,
  })
})

test('a dry run says what would go and changes nothing', async () => {
  const before = await totals()
  const { lines, refused } = await expire({ dryRun: true })
  expect(lines).toEqual([
    expect.stringMatching(/^2023-01 {2}\d+ rows {2}would be removed$/),
    expect.stringMatching(/^2023-02 {2}\d+ rows {2}would be removed$/),
    expect.stringMatching(/^2023-03 {2}\d+ rows {2}would be removed$/),
  ])
  expect(refused).toBe(0)
  expect(await totals()).toEqual(before)
  expect(await readKeptFrom(room.clickHouse)).toBeUndefined()
})

test('months that an open period or a certificate needs are refused, with the reason', async () => {
  await subscribe('2023-01-01T00:00:00Z')
  expect((await expire()).lines[0]).toMatch(
    /2023-01 .* stays: subscription s of acme is not billed from 2023-01-01 on$/,
  )
  await bill('2023-01-01T00:00:00Z', '2023-02-01T00:00:00Z', '2024-01-05')
  await bill('2023-02-01T00:00:00Z', '2023-03-01T00:00:00Z', '2024-01-05')
  const { lines, refused } = await expire({ certificateDays: 728 })
  expect(lines[0]).toMatch(
    /2023-01 .* stays: an invoice of acme must be verifiable from it, until 2026-01-02$/,
  )
  expect(lines[2]).toMatch(
    /2023-03 .* stays: subscription s of acme is not billed from 2023-03-01 on; 2023-01 before it/,
  )
  expect(refused).toBe(3)
  expect(await readKeptFrom(room.clickHouse)).toBeUndefined()
})

test('what nothing needs is removed whole, the rest reads as before, and the check agrees', async () => {
  expect(await totals()).toEqual(['185', '185'])
  const { lines, refused } = await expire({ certificateDays: 727 })
  expect(lines.map((line) => line.replace(/\d+ rows {2}/, ''))).toEqual([
    '2023-01  removed',
    '2023-02  removed',
    '2023-03  stays: subscription s of acme is not billed from 2023-03-01 on',
  ])
  expect(refused).toBe(1)
  expect(await readKeptFrom(room.clickHouse)).toBe(Date.UTC(2023, 2, 1) / 1000)
  expect(await totals()).toEqual(['105', '105'])
  expect(await monthsLeft()).toEqual([202_303, 202_610])
  const { report, lines: said } = await check()
  expect(report.total(), said.join('\n')).toBe(0)
  // A rebuild makes the copy by cell anew out of the whole ledger; the next run removes what it brought back.
  await room.clickHouse.command(
    `INSERT INTO usage_ledger_by_cell (tenant, type, hour, log, partition, offset, verdict)
     SELECT tenant, type, hour, log, partition, offset, toString(verdict) FROM usage_ledger WHERE hour < '2023-03-01'`,
  )
  expect(await expire({ certificateDays: 727 })).toMatchObject({ refused: 1 })
  expect(await monthsLeft()).toEqual([202_303, 202_610])
})

test('a meter that is made later is filled from what is left, and sealing goes on', async () => {
  const late = await room.register('acme', { key: 'calls', eventType: 'api.call', aggregation: 'count' })
  expect(await room.seal()).toMatchObject({ unprovedCells: 0, dirtyCells: 0 })
  expect(await room.total(late, undefined, '2023-01-01T00:00:00Z')).toBe('2')
})

test('a meter that carries a level holds the months of its events', async () => {
  await bill('2023-03-01T00:00:00Z', '2026-10-01T00:00:00Z', '2024-01-05')
  await room.register('acme', {
    key: 'stored',
    eventType: 'api.call',
    aggregation: 'time-weighted-sum',
    valuePath: 'bytes',
    values: 'changes',
  })
  await room.seal()
  const { lines } = await expire({ certificateDays: 0 })
  expect(lines).toEqual([
    expect.stringMatching(/^2023-03 .* stays: meter stored of acme carries a level over from its events$/),
  ])
})

test('replaced seals go when no kept pass names them; what is read stays', async () => {
  const seals = async () => (await room.seals()).filter(({ hour }) => hour === '10').length
  const before = await seals()
  for (let late = 0; late < 4; late += 1) {
    room.append('2026-10-10T10:30:00Z', 1)
    await room.log.write(at('2026-10-20T00:00:00Z'))
    await room.seal()
  }
  const sum = await totals()
  const grown = await seals()
  expect(grown).toBeGreaterThan(before)
  expect(await purgeSeals(room.clickHouse, 100)).toBe(0)
  // Three meters; the oldest pass kept and the two after it each have a version of their own.
  await purgeSeals(room.clickHouse, 3)
  expect(grown - (await seals())).toBeGreaterThan(0)
  expect(await purgeSeals(room.clickHouse, 3)).toBe(0)
  expect(await totals()).toEqual(sum)
  const hours = await room.clickHouse.query(
    `SELECT uniqExact(seal_version) AS versions FROM usage_hourly WHERE hour = '2026-10-10 10:00:00' AND meter_key = 'bytes'`,
  )
  expect(hours).toEqual([{ versions: '3' }])
  expect((await check()).report.total()).toBe(0)
})

test('a check that is under way takes no replaced seal for a difference', async () => {
  const days = Array.from({ length: 25 }, (_, day) => `2026-09-${String(day + 1).padStart(2, '0')}T10:00:00Z`)
  for (const time of days) room.append(time, 1)
  await room.log.write(at('2026-10-21T00:00:00Z'))
  await room.seal()
  const scope = { cut: [], tenant: 'acme', fromHour: undefined, toHour: undefined, payloads: false }
  const sources = { clickHouse: room.clickHouse, readMeters: async () => [meter] }
  const found = checkSealedHours(sources, scope, emptyTotals([]))
  const differences = [...((await found.next()).value ?? [])]
  for (const time of days) room.append(time, 1)
  await room.log.write(at('2026-10-22T00:00:00Z'))
  await room.seal()
  await purgeSeals(room.clickHouse, 1)
  for await (const more of found) differences.push(...more)
  expect(differences).toEqual([])
})
