import { createCheckMetrics } from '@tidemark/aggregator/ledger/check/check-metrics.ts'
import { createChecker } from '@tidemark/aggregator/ledger/check/checker.ts'
import { runCheck } from '@tidemark/aggregator/ledger/check/run-check.ts'
import type { CheckOrder } from '@tidemark/aggregator/ledger/ledger-order.ts'
import { repairSealed } from '@tidemark/aggregator/ledger/repair-sealed.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openSealingRoom, type SealingRoom } from './sealing-room.ts'
import { at, type LogEntry } from './usage-log.ts'
import { usageLogOf } from './usage-room.ts'

const soon = { timeout: 30_000, interval: 50 }
let room: SealingRoom
const hours = ['09', '10', '11', '12']

beforeAll(async () => {
  room = await openSealingRoom('check')
  await room.register()
  await room.register('other')
  for (let event = 0; event < 80; event += 1)
    room.append(`2026-10-05T${hours[event % 4]}:${10 + (event % 50)}:00Z`, event, `subject-${event % 3}`)
  room.log.appendRejected(2)
  await room.log.write(at('2026-10-05T14:00:00Z'))
  await room.seal()
})
afterAll(() => room?.close())

const everything = { fromHour: undefined, toHour: undefined, tenant: undefined, payloads: true }
const check = (order: Partial<CheckOrder> = {}) =>
  runCheck(
    { clickHouse: room.clickHouse, readMeters: room.meters.all, tell: () => {} },
    { ...everything, ...order },
  )

const change = (table: string, change: string) =>
  room.clickHouse.command(`ALTER TABLE ${table} ${change} SETTINGS mutations_sync = 2`)

const where = ({ partition, offset }: LogEntry) => `partition = ${partition} AND offset = ${offset}`

test('where nothing differs it says so, with the counts of all that it read', async () => {
  const { report, totals, lines } = await check()
  expect(lines.at(-1)).toBe('No differences.')
  expect(report.total()).toBe(0)
  expect(totals).toMatchObject({
    offsets: 81n,
    lost: 0n,
    raw: 80n,
    expectedRaw: 80n,
    cells: 4n,
    sealedHours: 4n,
    verdicts: { accepted: 80n, duplicate: 0n, conflict: 0n, correction: 0n, rejected: 1n },
  })
  expect(lines.join('\n')).toContain(
    '81 = 80 accepted + 0 duplicates + 0 conflicts + 0 corrections + 1 rejected',
  )
})

test('a tenant or some hours can be checked alone', async () => {
  expect((await check({ tenant: 'acme' })).totals).toMatchObject({
    raw: 80n,
    expectedRaw: 80n,
    sealedHours: 4n,
  })
  expect((await check({ tenant: 'nobody' })).totals).toMatchObject({
    raw: 0n,
    expectedRaw: 0n,
    sealedHours: 0n,
  })
  const eleven = at('2026-10-05T11:00:00Z') / 1_000_000
  const narrowed = await check({ fromHour: eleven, toHour: eleven + 3600 })
  expect(narrowed.totals).toMatchObject({ raw: 20n, expectedRaw: 20n, cells: 1n, sealedHours: 1n })
  expect(narrowed.report.total()).toBe(0)
})

test('a sealed hour that was altered is found, and written again from its raw events', async () => {
  const hourly = () => room.clickHouse.query('SELECT * FROM usage_hourly FINAL ORDER BY ALL')
  const before = await hourly()
  await change('usage_hourly', "UPDATE sum = sum + 1 WHERE toHour(hour) = 10 AND subject = 'subject-1'")
  await change('usage_hourly', "DELETE WHERE toHour(hour) = 11 AND subject = 'subject-2'")
  expect((await check()).report.first.map(({ kind, text }) => [kind, text])).toEqual([
    [
      'sealed_hour',
      expect.stringContaining('hour 2026-10-05T10: the sealed hour of meter bytes version 1 says'),
    ],
    [
      'sealed_hour',
      expect.stringContaining('hour 2026-10-05T11: the sealed hour of meter bytes version 1 lacks 1 rows'),
    ],
  ])
  const sources = { clickHouse: room.clickHouse, readMeters: room.meters.all, tell: () => {} }
  expect(await repairSealed(sources, { ...everything, dryRun: true })).toMatchObject({
    differing: 2,
    repaired: 0,
  })
  expect(await repairSealed(sources, { ...everything, dryRun: false })).toEqual({
    differing: 2,
    repaired: 2,
    unproved: 0,
  })
  expect(await hourly()).toEqual(before)
  expect((await check()).report.total()).toBe(0)
})

test('every damage is found, named by its place, and counted', async () => {
  const [lost, altered, otherHash, unlisted, noIdentity, noCell, twice, contradicted] =
    room.log.entries.slice(8)
  if (!lost || !altered || !otherHash || !unlisted || !noIdentity || !noCell || !twice || !contradicted)
    throw new Error('the room is too small')
  await change('usage_events', `DELETE WHERE ${where(lost)}`)
  await change('usage_events', `UPDATE data = '{"bytes":1000000}' WHERE ${where(altered)}`)
  await change('usage_events', `UPDATE payload_hash = unhex('${'ab'.repeat(16)}') WHERE ${where(otherHash)}`)
  await change('usage_ledger', `DELETE WHERE ${where(unlisted)}`)
  await change('usage_ledger_by_identity', `DELETE WHERE ${where(noIdentity)}`)
  await change('usage_ledger_by_cell', `DELETE WHERE ${where(noCell)}`)
  await change('usage_hourly', `UPDATE sum = sum + 1 WHERE toHour(hour) = 12 AND subject = 'subject-1'`)
  // What contradicts itself must stay so until it is read.
  for (const table of ['usage_events', 'usage_ledger'])
    await room.clickHouse.command(`SYSTEM STOP MERGES ${table}`)
  await room.log.writeRaw({ ...twice, subject: 'somebody-else' })
  await room.clickHouse.command(
    `INSERT INTO usage_ledger SELECT * REPLACE (unhex('${'cd'.repeat(16)}') AS payload_hash)
     FROM usage_ledger WHERE ${where(contradicted)}`,
  )

  const { report, lines } = await check()
  const named = (kind: string) => report.first.filter((each) => each.kind === kind).map(({ text }) => text)
  const placeOf = ({ partition, offset }: LogEntry) => `log 1, partition ${partition}, offset ${offset}`
  expect(named('raw_missing')).toEqual([expect.stringContaining(placeOf(lost))])
  expect(named('raw_altered').join()).toContain(placeOf(altered))
  expect(named('raw_differs').join()).toContain(placeOf(otherHash))
  expect(named('ledger_gap')).toEqual([
    `log 1, partition ${unlisted.partition}: the ledger has no row for offset ${unlisted.offset}`,
  ])
  expect(named('raw_surplus')).toEqual([expect.stringContaining(placeOf(unlisted))])
  expect(named('identity_copy').join()).toContain(
    `${placeOf(noIdentity)}: usage_ledger_by_identity lacks the row that the ledger has`,
  )
  expect(named('cell_copy').join()).toContain(
    `${placeOf(noCell)}: usage_ledger_by_cell lacks the row that the ledger has`,
  )
  expect(named('raw_twice')).toEqual([expect.stringContaining(placeOf(twice))])
  expect(named('ledger_contradiction').join()).toContain(placeOf(contradicted))
  expect(named('sealed_hour').join()).toContain(
    'tenant acme, type api.call, hour 2026-10-05T12: the sealed hour of meter bytes version 1',
  )
  expect(lines.join('\n')).toContain(
    `npm run ledger -- repair --log 1 --partition ${lost.partition} --from ${lost.offset} --to ${lost.offset}`,
  )
})

test('an offset recorded as lost is no gap, and is shown', async () => {
  const [entry] = room.log.entries.slice(11)
  await room.clickHouse.insert('usage_lost', [
    {
      log: 1,
      partition: entry?.partition,
      first_offset: entry?.offset,
      last_offset: entry?.offset,
      reason: 'test',
      recorded_by: 'test',
      recorded_at: '2026-10-06T00:00:00Z',
    },
  ])
  const { report, totals } = await check()
  expect(report.counts.get('ledger_gap')).toBeUndefined()
  expect(totals.lost).toBe(1n)
})

test('the aggregator finds the same by itself, one process at a time, and says so in metrics', async () => {
  const open = () => {
    const metrics = createMetrics('aggregator')
    const checker = createChecker({
      clickHouse: room.clickHouse,
      pool: room.pool,
      log: room.logger,
      metrics: createCheckMetrics(metrics),
      pauseMs: 0,
      roundMs: 0,
      readMeters: room.meters.all,
      readWatermarks: () => readWatermarks(room.clickHouse, usageLogOf),
    })
    const read = async (name: string) => {
      const line = (await metrics.metrics()).split('\n').find((each) => each.startsWith(name))
      return Number(line?.split(' ').at(-1) ?? 0)
    }
    return { checker, read }
  }
  const first = open()
  first.checker.start()
  await vi.waitFor(
    async () => expect(await first.read('tidemark_ledger_check_slices_total')).toBeGreaterThan(0),
    soon,
  )
  const second = open()
  second.checker.start()
  try {
    await vi.waitFor(async () => {
      expect(await first.read('tidemark_ledger_check_until_seconds')).toBe(
        at('2026-10-05T14:00:00Z') / 1_000_000,
      )
    }, soon)
    const found = (await check()).report.counts
    for (const kind of ['raw_missing', 'identity_copy', 'sealed_hour'] as const)
      expect(await first.read(`tidemark_ledger_check_differences{kind="${kind}"`)).toBe(found.get(kind))
    expect(await second.read('tidemark_ledger_check_slices_total')).toBe(0)
  } finally {
    await first.checker.stop()
    await second.checker.stop()
  }
})
