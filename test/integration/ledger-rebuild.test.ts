import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { deleteRecordsBefore } from '@tidemark/infra/kafka/topics.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, exactly, openAggregatorRoom } from './aggregator-room.ts'
import { argumentsOf, ledgerCommand } from './ledger-command.ts'

let room: AggregatorRoom
beforeEach(async () => {
  room = await openAggregatorRoom('rebuild')
})
afterEach(() => room?.close())

const ledger = (words: string) => ledgerCommand(room.installation, words)

const change = (table: string, what: string) =>
  room.clickHouse.command(`ALTER TABLE ${table} ${what} SETTINGS mutations_sync = 2`)

const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => usageEvent({ id: `${name}-${at}` }))

/** Corrections and whatever else is not simply accepted: four rows of the ledger, two of them with raw events. */
const others = () => [
  usageEvent({ id: 'a-1' }),
  usageEvent({ id: 'a-2', data: '{"quantity":9}' }),
  usageEvent({ id: 'a-3', action: 'correct', revision: 1, data: '{"quantity":7}' }),
  usageEvent({ id: 'a-4', action: 'void', revision: 1 }),
]

const verdicts = () =>
  room.clickHouse.query(
    `SELECT partition, offset, verdict, first_partition, first_offset, tenant, type, superseded_type, hour
     FROM usage_ledger FINAL ORDER BY partition, offset`,
  )

async function tablesBeside(): Promise<number> {
  const [row] = await room.clickHouse.query<{ found: number }>(
    "SELECT toUInt32(count()) AS found FROM system.tables WHERE database = currentDatabase() AND endsWith(name, '_rebuilt')",
  )
  return row?.found ?? 0
}

/** Sends events, one batch after the other, until it is told to stop; resolves with how many. */
function keepSending() {
  let going = true
  const sent = (async () => {
    let batches = 0
    for (; going; batches += 1) await room.producer.send(many(`flow-${batches}`, 20))
    return batches * 20
  })()
  return () => {
    going = false
    return sent
  }
}

test('tables are made anew from Kafka and swapped while events flow, and nothing is lost or doubled', async () => {
  const service = await room.start()
  await room.producer.send(many('a', 300))
  await room.producer.send(others())
  await room.drained()
  const before = await verdicts()
  expect(await ledger('rebuild')).toMatchObject({
    code: 0,
    out: expect.stringContaining('the ledger: 0 offsets added, 0 removed, 0 verdicts changed'),
    err: expect.stringContaining('Nothing is swapped without --yes'),
  })
  expect(await tablesBeside()).toBe(0)

  await change('usage_ledger', 'DELETE WHERE offset % 5 = 2')
  await change('usage_ledger_by_cell', 'DELETE WHERE offset % 2 = 0')
  await change('usage_events', "UPDATE data = '{}' WHERE offset % 4 = 1")
  await change('usage_events', 'DELETE WHERE offset % 4 = 3')
  const stop = keepSending()
  const rebuilt = await ledger('rebuild --yes')
  const sent = await stop()
  expect(rebuilt.out).toContain('No differences.')
  expect(rebuilt).toMatchObject({ code: 0, out: expect.stringContaining('0 removed, 0 verdicts changed') })
  expect(await tablesBeside()).toBe(0)

  await room.drained()
  const after = await verdicts()
  const known = new Set(after.map((row) => JSON.stringify(row)))
  expect(before.filter((row) => !known.has(JSON.stringify(row)))).toEqual([])
  const truth = await room.truth()
  expect(truth).toMatchObject({ missing: 0, accepted: 300 + sent, conflict: 1, rejected: 0, raw: 301 + sent })
  expect(await ledger('check')).toMatchObject({ code: 0 })
  await service.stop()
})

test('what Kafka no longer has comes from the tables: the ledger row of a raw event too', async () => {
  const service = await room.start()
  await room.producer.send(many('a', 200))
  await room.drained()
  const before = await verdicts()
  await service.stop()
  for (const partition of [1, 4]) await deleteRecordsBefore(room.kafka, room.producer.topic, partition, 8n)
  await change('usage_ledger', 'DELETE WHERE partition IN (1, 2) AND offset = 5')
  await change('usage_ledger_by_cell', 'DELETE WHERE partition = 4')
  const rebuilt = await ledger('rebuild --yes')
  expect(rebuilt).toMatchObject({
    code: 0,
    err: expect.stringContaining('1 rows that the ledger lacked were made'),
  })
  expect(await verdicts()).toEqual(before)

  await change('usage_ledger', 'DELETE WHERE partition = 1 AND offset = 5')
  await change('usage_ledger_by_identity', 'DELETE WHERE partition = 1 AND offset = 5')
  const refused = await ledger('rebuild --yes')
  expect(refused).toMatchObject({
    code: 1,
    err: expect.stringContaining('expected offset 5 but found 8'),
  })
})

test('verdicts that would become others are not swapped in', async () => {
  const service = await room.start()
  await room.producer.send(many('a', 100))
  await room.drained()
  await service.stop()
  await change('usage_ledger', "UPDATE verdict = 'duplicate' WHERE partition = 3 AND offset = 2")
  const refused = await ledger('rebuild --yes')
  expect(refused).toMatchObject({
    code: 1,
    err: expect.stringContaining('verdicts that invoices may rest on'),
  })
  expect(refused.out).toContain('partition 3, offset 2: duplicate becomes accepted')
  expect(await ledger('rebuild --yes --force "somebody altered the ledger by hand"')).toMatchObject({
    code: 0,
  })
  expect(await room.truth()).toEqual(exactly(100))
})

test.each(['comparing', 'swapped usage_events', 'swapped usage_ledger'])(
  'killed with -9 at "%s", a rebuild is run again and all is well',
  async (at) => {
    const service = await room.start()
    await room.producer.send(many('a', 200))
    await room.drained()
    await change('usage_events', 'DELETE WHERE offset % 4 = 3')
    const entry = join(import.meta.dirname, '..', 'ledger-with-faults.ts')
    const victim = spawn(process.execPath, [entry, ...argumentsOf('rebuild --yes')], {
      env: { ...process.env, ...room.installation.env, TIDEMARK_FAULT_AT: at },
      stdio: 'ignore',
    })
    const [, signal] = await once(victim, 'exit')
    expect(signal).toBe('SIGKILL')
    await room.producer.send(many('b', 100))
    await room.drained()
    expect(await ledger('rebuild --yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining('No differences.'),
    })
    expect(await tablesBeside()).toBe(0)
    await room.drained()
    expect(await room.truth()).toEqual(exactly(300))
    await service.stop()
  },
)
