import { readFile } from 'node:fs/promises'
import { deleteRecordsBefore } from '@tidemark/infra/kafka/topics.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { usageEvent } from '../usage-producer.ts'
import { type AggregatorRoom, openAggregatorRoom, patience } from './aggregator-room.ts'
import { ledgerCommand, spawnLedger } from './ledger-command.ts'

let room: AggregatorRoom
const ledger = (words: string) => ledgerCommand(room.installation, words)
const tables = [
  'usage_events',
  'usage_corrections',
  'usage_ledger',
  'usage_ledger_by_identity',
  'usage_ledger_by_cell',
]

/** Everything in the tables, as one number each. */
const contents = () =>
  Promise.all(
    tables.map(async (table) => {
      const sql = `SELECT toString(count()) AS rows, toString(sum(cityHash64(*))) AS hash FROM ${table} FINAL`
      return [table, ...(await room.clickHouse.query(sql))]
    }),
  )

const change = (table: string, what: string) =>
  room.clickHouse.command(`ALTER TABLE ${table} ${what} SETTINGS mutations_sync = 2`)

const endOf = async (partition: number) => {
  const sql = `SELECT max(offset) AS last FROM usage_ledger WHERE partition = ${partition}`
  const [row] = await room.clickHouse.query<{ last: string }>(sql)
  return BigInt(row?.last ?? 0)
}

beforeAll(async () => {
  room = await openAggregatorRoom('repair')
  const service = await room.start()
  const { producer } = room
  await producer.send(Array.from({ length: 400 }, (_, at) => usageEvent({ id: `e-${at}` })))
  await producer.send([
    usageEvent({ id: 'e-1' }),
    usageEvent({ id: 'e-2', data: '{"quantity":9}' }),
    usageEvent({ id: 'e-3', action: 'correct', revision: 1, data: '{"quantity":7}' }),
    usageEvent({ id: 'e-4', action: 'void', revision: 1 }),
    usageEvent({ id: 'nobody', action: 'void', revision: 1 }),
  ])
  await producer.sendRaw([{ partition: 2, key: null, value: Buffer.from('nonsense') }])
  await room.drained()
  await service.stop()
})
afterAll(() => room?.close())

test('what was damaged is found and written again, and the ledger is left as it is', async () => {
  const before = await contents()
  expect(await ledger('check')).toMatchObject({ code: 0, out: expect.stringContaining('No differences.') })

  await change('usage_events', 'DELETE WHERE offset % 3 = 0')
  await change('usage_events', `UPDATE data = '{"quantity":100}' WHERE offset % 3 = 1`)
  // Under another key the right row would not take its place.
  await room.clickHouse.command(
    `INSERT INTO usage_events SELECT * REPLACE ('thief' AS subject) FROM usage_events WHERE offset % 3 = 2`,
  )
  await change('usage_events', `DELETE WHERE offset % 3 = 2 AND subject != 'thief'`)
  for (const table of tables.filter((name) => name.startsWith('usage_ledger_')))
    await change(table, 'DELETE WHERE offset % 7 = 0')
  await change('usage_ledger_by_identity', 'UPDATE revision = 5 WHERE offset % 7 = 1')
  await change('usage_corrections', "DELETE WHERE action = 'void'")

  const found = await ledger('check')
  expect(found.code).toBe(1)
  for (const kind of ['raw_missing', 'raw_altered', 'identity_copy', 'cell_copy', 'corrections'])
    expect(found.out).toContain(kind)

  const ranges = await Promise.all(
    Array.from(
      { length: 8 },
      async (_, partition) => `--log 1 --partition ${partition} --from 0 --to ${await endOf(partition)}`,
    ),
  )
  expect(await ledger(`repair ${ranges[0]} --dry-run`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('dry run'),
  })
  for (const range of ranges)
    expect(await ledger(`repair ${range}`)).toMatchObject({
      code: 0,
      out: expect.stringContaining('All of it is as the ledger says.'),
    })
  expect(await contents()).toEqual(before)
  expect((await ledger('check')).code).toBe(0)
})

test('an offset that Kafka still has, or that the ledger knows, is not recorded as lost', async () => {
  const range = '--log 1 --partition 5 --from 0 --to 1'
  const refused = await ledger(`lost ${range} --reason "a test" --yes`)
  expect(refused).toMatchObject({
    code: 1,
    err: expect.stringContaining('the ledger has rows for 2 of the offsets'),
  })
  expect(refused.err).toContain('Kafka still has offsets 0 to 1')
  const beyond = await ledger(`lost --log 1 --partition 5 --from 100000 --to 100001 --reason "a test" --yes`)
  expect(beyond).toMatchObject({
    code: 1,
    err: expect.stringContaining('events to come would be passed over'),
  })
  expect((await ledger('lost --list')).err).toContain('Nothing is recorded')
})

test('what retention took before it was consumed is a gap until it is recorded as lost; check and list show it', async () => {
  const { producer, kafka } = room
  const last = await endOf(3)
  await producer.send(Array.from({ length: 200 }, (_, at) => usageEvent({ id: `late-${at}` })))
  await deleteRecordsBefore(kafka, producer.topic, 3, last + 6n)
  const stopped = await room.ended(await room.startFaulty({}))
  expect(stopped.log).toContain('offset_gap')

  const order = `lost --log 1 --partition 3 --from ${last + 1n} --to ${last + 5n} --reason "disk 4 died" --by maria`
  const shown = await ledger(order)
  expect(shown).toMatchObject({ code: 1, err: expect.stringContaining('--yes') })
  expect(shown.out).toContain(`begins at ${last + 6n}`)
  expect(await ledger(`${order} --yes`)).toMatchObject({ code: 0 })
  expect((await ledger('lost --list')).out).toMatch(/1\/3\t\d+\t\d+\t\S+( \S+)?\tmaria\tdisk 4 died/)

  const service = await room.start()
  await vi.waitFor(async () => expect((await room.truth()).missing).toBe(5), patience)
  await service.stop()
  expect(await ledger('check')).toMatchObject({ code: 0, out: expect.stringContaining('5 recorded as lost') })
})

test('what an attempt has left at offsets that are lost is found, and removed by a repair', async () => {
  const before = await contents()
  const [{ first, last } = { first: '0', last: '0' }] = await room.clickHouse.query<Record<string, string>>(
    'SELECT toString(first_offset) AS first, toString(last_offset) AS last FROM usage_lost',
  )
  // As of a batch that got no further than this, and whose records retention then took.
  for (const table of tables.filter((name) => name !== 'usage_ledger'))
    await room.clickHouse.command(
      `INSERT INTO ${table} SELECT * REPLACE (3 AS partition, ${first} + 1 AS offset) FROM ${table} LIMIT 1`,
    )
  const found = await ledger('check')
  expect(found.code).toBe(1)
  for (const kind of ['raw_surplus', 'identity_copy', 'cell_copy', 'corrections'])
    expect(found.out).toContain(kind)
  const range = `--log 1 --partition 3 --from ${first} --to ${last}`
  expect(await ledger(`repair ${range} --dry-run`)).toMatchObject({ code: 1 })
  expect(await ledger(`repair ${range}`)).toMatchObject({
    code: 0,
    out: expect.stringContaining('All of it is as the ledger says.'),
  })
  expect(await contents()).toEqual(before)
  expect((await ledger('check')).code).toBe(0)
})

test('of what Kafka no longer has the look-up copies are repaired all the same', async () => {
  await change('usage_ledger_by_cell', 'DELETE WHERE partition = 3 AND offset < 5')
  const repaired = await ledger('repair --log 1 --partition 3 --from 0 --to 4')
  expect(repaired).toMatchObject({
    code: 1,
    err: expect.stringContaining('Kafka no longer has 5 of the offsets'),
  })
  expect(repaired.out).toContain('usage_ledger_by_cell: 5 rows are missing')
  expect((await ledger('check')).code).toBe(0)
})

test('a record that can never be read is passed over once it is recorded as lost by force', async () => {
  const before = await room.truth()
  const place = { log: 1, partition: 6, at: (await endOf(6)) + 1n }
  const unknown = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3])
  await room.producer.sendRaw([{ partition: place.partition, key: null, value: unknown }])
  await room.producer.send(Array.from({ length: 80 }, (_, at) => usageEvent({ id: `after-${at}` })))
  const waiting = await room.startFaulty({})
  await vi.waitFor(
    async () => expect(await readFile(waiting.logFile, 'utf8')).toContain('waits for schema'),
    patience,
  )
  await waiting.stop()
  const order = `lost --log 1 --partition ${place.partition} --from ${place.at} --to ${place.at} --reason "no such schema" --yes`
  expect(await ledger(order)).toMatchObject({ code: 1, err: expect.stringContaining('Kafka still has') })
  expect(await ledger(`${order} --force "a stray program wrote it"`)).toMatchObject({ code: 0 })
  const service = await room.start()
  await vi.waitFor(async () => expect((await room.truth()).accepted).toBe(before.accepted + 80), patience)
  await service.stop()
  expect((await ledger('lost --list')).out).toContain('no such schema (forced: a stray program wrote it)')
  expect((await ledger('check')).code).toBe(0)
})

test('the command says by its exit code whether all is well, and how it is used', async () => {
  expect(await spawnLedger(room.installation, 'check')).toMatchObject({
    code: 0,
    out: expect.stringContaining('No differences.'),
  })
  expect(await spawnLedger(room.installation, 'mend')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('repair   --log <n>'),
  })
})
