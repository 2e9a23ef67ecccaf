import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { openUsageLog, readCurrentUsageLog } from '@tidemark/infra/installation/usage-log.ts'
import { deleteTopics } from '@tidemark/infra/kafka/topics.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openUsageProducer, type UsageProducer, usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, openAggregatorRoom, patience } from './aggregator-room.ts'
import { postEvents, sampleEvent, startIngest } from './ingest-room.ts'
import { argumentsOf, ledgerCommand } from './ledger-command.ts'

let room: AggregatorRoom
let producer: UsageProducer
beforeAll(async () => {
  room = await openAggregatorRoom('cut')
})
afterAll(async () => {
  await producer?.close()
  await room?.close()
})

const second = { USAGE_LOG: '2' }
const ledger = (words: string) => ledgerCommand(room.installation, words)
const many = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => usageEvent({ id: `${name}-${at}` }))

async function countVerdicts(log: number): Promise<Record<string, number>> {
  const rows = await room.clickHouse.query<{ verdict: string; rows: string }>(
    'SELECT verdict, toString(count()) AS rows FROM usage_ledger FINAL WHERE log = {log:UInt16} GROUP BY verdict',
    { log },
  )
  return Object.fromEntries(rows.map(({ verdict, rows: count }) => [verdict, Number(count)]))
}

const consumed = (log: number, expected: Record<string, number>) =>
  vi.waitFor(async () => expect(await countVerdicts(log)).toEqual(expected), patience)

test('a log that is in use, or that nobody asked for, is not cut over', async () => {
  await room.producer.send(many('a', 300))
  expect(await ledger('cut-over --to 3 --ingest-stopped')).toMatchObject({
    code: 1,
    err: expect.stringContaining('The log in use is 1: the next one is 2'),
  })
  expect(await ledger('cut-over --to 2')).toMatchObject({
    code: 1,
    err: expect.stringContaining('--ingest-stopped'),
  })
  let going = true
  const flow = (async () => {
    for (let batch = 0; going; batch += 1) await room.producer.send(many(`a-flow-${batch}`, 8))
    return room.producer.send([])
  })()
  const refused = await ledger('cut-over --to 2 --ingest-stopped')
  going = false
  await flow
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('something still writes to it') })
})

test.each(['its end is recorded', 'is made'])(
  'killed with -9 when it says "%s", a cut-over is run again',
  async (at) => {
    const service = await room.start()
    const entry = join(import.meta.dirname, '..', 'ledger-with-faults.ts')
    const victim = spawn(
      process.execPath,
      [entry, ...argumentsOf('cut-over --to 2 --ingest-stopped --partitions 3')],
      {
        env: { ...process.env, ...room.installation.env, TIDEMARK_FAULT_AT: at },
        stdio: 'ignore',
      },
    )
    const [, signal] = await once(victim, 'exit')
    expect(signal).toBe('SIGKILL')
    const pool = room.installation.openPool('tidemark_invoicer')
    expect(await readCurrentUsageLog(pool)).toEqual({ log: 1, partitions: 8 })
    await service.stop()
  },
)

test('the old log is closed, the next one opened, and services refuse any other', async () => {
  const service = await room.start()
  const done = await ledger('cut-over --to 2 --ingest-stopped --partitions 3')
  expect(done).toMatchObject({ code: 0, out: expect.stringContaining('Log 2 is open, with 3 partitions') })
  expect(await ledger('cut-over --to 2 --ingest-stopped')).toMatchObject({ code: 0 })
  await service.stop()
  await expect(room.producer.send(many('too-late', 1))).rejects.toThrow()

  const pool = room.installation.openPool('tidemark_ingest')
  expect(await openUsageLog(pool, 2, 'write')).toEqual({ log: 2, partitions: 3 })
  await expect(openUsageLog(pool, 1, 'write')).rejects.toMatchObject({ code: 'log_closed' })
  for (const [log, reason] of [
    ['1', 'that log is closed: log 2 is open. Set USAGE_LOG to it'],
    ['3', 'no cut-over has opened that log. Set it to 2'],
  ] as const) {
    const stopped = await room.ended(await room.startFaulty({ USAGE_LOG: log }))
    expect(stopped).toMatchObject({ code: 1, log: expect.stringContaining(reason) })
  }
})

test('a duplicate, a conflict and a correction of an event of the log before are known, in other partitions too', async () => {
  const before = await countVerdicts(1)
  producer = await openUsageProducer(room.installation.env, room.installation.prefix, {
    log: 2,
    partitions: 3,
  })
  const service = await room.start(second)
  await producer.send([
    ...many('a', 100),
    ...many('b', 50),
    usageEvent({ id: 'a-200', data: '{"quantity":9}' }),
    usageEvent({ id: 'a-201', action: 'correct', revision: 1, data: '{"quantity":7}' }),
  ])
  const expected = { accepted: 50, duplicate: 100, conflict: 1, correction: 1 }
  await consumed(2, expected)
  await service.stop()

  // The state is lost, and becomes the same again.
  const again = await room.start({ ...second, AGGREGATOR_STATE_DIRECTORY: `${room.stateDirectory}-again` })
  await producer.send([...many('a', 300).slice(100), ...many('b', 50), usageEvent({ id: 'c' })])
  // What was in conflict before is so again.
  await consumed(2, { ...expected, accepted: 51, duplicate: 350 })
  await again.stop()
  expect(await countVerdicts(1)).toEqual(before)
  expect(await ledger('check')).toMatchObject({ code: 0, out: expect.stringContaining('No differences.') })
})

test('ingest writes to the log that it is set to, where that is the open one', async () => {
  const { env } = room.installation
  await expect(startIngest(env)).rejects.toMatchObject({ code: 'log_closed' })
  const { key } = await room.installation.createTenant('acme2')
  const before = await countVerdicts(2)
  const ingest = await startIngest(env, second)
  const service = await room.start(second)
  try {
    const event = sampleEvent()
    expect(await postEvents(ingest.url, event, { key })).toMatchObject({ status: 202 })
    expect(await postEvents(ingest.url, event, { key })).toMatchObject({ status: 202 })
    await consumed(2, {
      ...before,
      accepted: (before.accepted ?? 0) + 1,
      duplicate: (before.duplicate ?? 0) + 1,
    })
  } finally {
    await ingest.stop()
    await service.stop()
  }
})

test('a rebuild decides both logs as they were decided', async () => {
  expect(await ledgerCommand(room.installation, 'rebuild --yes', second)).toMatchObject({
    code: 0,
    out: expect.stringContaining('the ledger: 0 offsets added, 0 removed, 0 verdicts changed'),
  })
})

test('a log that is gone with its cluster is left for the next one', async () => {
  await deleteTopics(room.kafka, [producer.topic])
  // As where the aggregator was killed before it said how far it had come.
  await room.clickHouse.command(
    'ALTER TABLE usage_watermarks DELETE WHERE log = 2 SETTINGS mutations_sync = 2',
  )
  const done = await ledgerCommand(room.installation, 'cut-over --to 3 --ingest-stopped', second)
  expect(done).toMatchObject({ code: 0, err: expect.stringContaining('does not exist any more') })
  const ends = (column: string, table: string) =>
    room.clickHouse.query(
      `SELECT partition, toString(max(${column})) AS end FROM ${table} WHERE log = 2
       GROUP BY partition HAVING end != '0' ORDER BY partition`,
    )
  expect(await ends('next_offset', 'usage_watermarks')).toEqual(await ends('offset + 1', 'usage_ledger'))
  const third = await openUsageProducer(room.installation.env, room.installation.prefix, {
    log: 3,
    partitions: 3,
  })
  try {
    const service = await room.start({ USAGE_LOG: '3' })
    await third.send([...many('a', 20), ...many('b', 20), usageEvent({ id: 'c' }), usageEvent({ id: 'd' })])
    await consumed(3, { accepted: 1, duplicate: 41 })
    await service.stop()
    expect(await ledger('check')).toMatchObject({ code: 0, out: expect.stringContaining('No differences.') })
  } finally {
    await third.close()
  }
})
