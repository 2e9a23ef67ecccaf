import { formatInstant } from '@tidemark/schemas/instant.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestTenant } from '../installation.ts'
import { company, meters } from './close-company.ts'
import { type CloseRoom, openCloseRoom } from './close-room.ts'
import { at } from './usage-log.ts'

let room: CloseRoom
let tenant: TestTenant

beforeAll(async () => {
  room = await openCloseRoom('gate')
  tenant = await room.installation.createTenant('acme')
  await room.createMeters('acme', meters)
  await room.apply(tenant, company(3))
})
afterAll(() => room?.close())

const close = (graceSeconds = 600) =>
  room.call(tenant, 'POST', '/v1/periods/close', { until: '2026-11-01T01:00:00Z', graceSeconds })
const countInvoices = async () => {
  const { rows } = await room.pool.query<{ count: bigint }>('SELECT count(*) AS count FROM billing.invoices')
  return rows[0]?.count
}

// One story: each step stops the close in another way, and only the last lets it through.
test('waits for every partition and relay, and stops at a gap or a difference', async () => {
  expect(await close()).toMatchObject({
    status: 503,
    body: { code: 'not_complete', detail: expect.stringContaining('partition 0 has no watermark') },
  })

  for (let index = 0; index < 20; index++)
    room.log.append({
      tenant: 'acme',
      type: 'api.request',
      subject: 'c1-subject',
      time: at('2026-10-05T10:30:00Z') + index,
      data: { status: 'ok' },
    })
  const lost = room.log.entries[3]
  if (!lost) throw new Error('an entry')
  await room.log.write(at('2026-11-01T00:05:00Z'), { withoutRaw: (entry) => entry === lost })
  await room.completeUsage(at('2026-11-01T00:05:00Z'), [])
  expect((await close()).body.detail).toContain(
    'the relay of usage.inbound.acme partition 0 has no watermark',
  )

  await room.completeUsage(at('2026-11-01T00:05:00Z'), [tenant])
  const early = await close()
  expect(early.body.detail).toContain('complete until 2026-11-01T00:05:00.000000Z')
  expect(early.body).toMatchObject({ waiting: { periods: 3 }, closed: 0 })

  await room.completeUsage(at('2026-11-01T00:10:00Z'), [tenant])
  const different = await close()
  expect(different).toMatchObject({
    status: 409,
    body: {
      code: 'ledger_mismatch',
      evidence: { cells: [{ hour: '2026-10-05 10:00:00', rawCount: '19', ledgerCount: '20' }] },
    },
  })
  expect(await countInvoices()).toBe(0n)
  const { rows } = await room.pool.query(
    "SELECT action, entity_key FROM billing.audit_log WHERE entity = 'close'",
  )
  expect(rows).toEqual([{ action: 'close.stopped', entity_key: 'ledger_mismatch' }])

  // The missing row comes back as it was; a hole in the ledger opens instead.
  const end = (partition: number) => room.log.entries.filter((each) => each.partition === partition).length
  await writeRaw(lost)
  await loseEveryOther(4, end(4), 150)
  await claimOffset(4, end(4) + 300, at('2026-11-01T00:10:00Z'))
  expect(await close()).toMatchObject({
    status: 409,
    body: {
      code: 'ledger_gap',
      evidence: { partition: 4, first: `${end(4) + 299}`, last: `${end(4) + 299}` },
    },
  })
  await loseEveryOther(4, end(4) + 299, 1)
  await claimOffset(5, end(5) + 1, at('2026-11-01T00:10:00Z'))
  expect(await close()).toMatchObject({
    status: 409,
    body: { code: 'ledger_gap', evidence: { partition: 5, first: `${end(5)}`, last: `${end(5)}` } },
  })
  expect(await countInvoices()).toBe(0n)

  await room.clickHouse.insert('usage_lost', [
    {
      log: 1,
      partition: 5,
      first_offset: end(5),
      last_offset: end(5),
      reason: 'a disk was lost',
      recorded_by: 'test',
      recorded_at: formatInstant(0),
    },
  ])
  expect(await close()).toMatchObject({ status: 200, body: { closed: 3 } })
  const { body: list } = await room.call(tenant, 'GET', '/v1/invoices?customer=c1')
  expect(list.items).toMatchObject([{ total: '20.30' }])
  const [{ id }] = Object(list.items)
  const { body: certificate } = await room.call(tenant, 'GET', `/v1/invoices/${id}/certificate`)
  expect(certificate.lost).toHaveLength(152)
  expect(certificate.lost).toContainEqual({ log: 1, partition: 5, first: `${end(5)}`, last: `${end(5)}` })
})

/** Of a partition's offsets from `first` on one is recorded as lost, the next is in the ledger, and so on; the last is not. */
async function loseEveryOther(partition: number, first: number, count: number): Promise<void> {
  const lost = `${first} + 2 * number`
  await room.clickHouse.command(
    `INSERT INTO usage_lost (log, partition, first_offset, last_offset, reason, recorded_by)
     SELECT 1, ${partition}, ${lost}, ${lost}, 'a disk was lost', 'test' FROM numbers(${count})`,
  )
  await room.clickHouse.command(
    `INSERT INTO usage_ledger (log, partition, offset, verdict)
     SELECT 1, ${partition}, ${lost} + 1, 'rejected' FROM numbers(${count - 1})`,
  )
}

/** A watermark of one partition that lies beyond what its ledger has. */
const claimOffset = (partition: number, nextOffset: number, completeUntil: number) =>
  room.clickHouse.insert('usage_watermarks', [
    {
      topic: 'usage.events',
      log: 1,
      partition,
      next_offset: nextOffset,
      complete_until: formatInstant(completeUntil),
      relayed_before: formatInstant(0),
    },
  ])

/** Every column from the ledger's copy and the entry, as if the insert had never failed. */
async function writeRaw(entry: { partition: number; offset: number; time: number }): Promise<void> {
  await room.clickHouse.command(
    `INSERT INTO usage_events
     SELECT tenant, type, 'c1-subject', {time:DateTime64(6, 'UTC')}, log, partition, offset, 'test', 'x',
       {time:DateTime64(6, 'UTC')}, payload_hash, '{"status":"ok"}'
     FROM usage_ledger_by_cell WHERE partition = {partition:UInt16} AND offset = {offset:UInt64} AND tenant = 'acme'`,
    {
      time: formatInstant(entry.time).slice(0, -1).replace('T', ' '),
      partition: entry.partition,
      offset: entry.offset,
    },
  )
}
