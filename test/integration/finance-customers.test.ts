import { createFinancePublication } from '@tidemark/aggregator/finance/publication.ts'
import { createCompleteness } from '@tidemark/aggregator/usage/completeness.ts'
import { readWatermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { createSubjectPublication } from '@tidemark/invoicer/finance/subject-publication.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { at } from './usage-log.ts'
import { openUsageRoom, type UsageRoom, usageLogOf } from './usage-room.ts'

const largest = '12345678901234567890123456789.123456789'

let room: UsageRoom
let billing: Pool
let publish: () => Promise<number>

beforeAll(async () => {
  room = await openUsageRoom('fincust')
  billing = room.installation.openPool('tidemark_invoicer')
  publish = createSubjectPublication(billing, room.clickHouse).publish
  await room.meters.register('acme', {
    key: 'bytes',
    eventType: 'api.call',
    aggregation: 'sum',
    valuePath: 'bytes',
  })
  await customer('initech', 1)
  await customer('hooli', 2)
})
afterAll(() => room?.close())

async function customer(key: string, revision: number): Promise<void> {
  await billing.query(
    `INSERT INTO billing.customers (tenant, key, name, email, currency, time_zone, created_at, updated_at)
     VALUES ('acme', $1, $1, 'a@b.c', 'EUR', 'UTC', now(), now())`,
    [key],
  )
  await raise(revision)
}

const raise = (revision: number) =>
  billing.query(
    `INSERT INTO billing.catalogue_revisions (tenant, revision) VALUES ('acme', $1)
     ON CONFLICT (tenant) DO UPDATE SET revision = excluded.revision`,
    [revision],
  )

const map = (subject: string, owner: string, during: string) =>
  billing.query('INSERT INTO billing.subjects (tenant, subject, customer, during) VALUES ($1, $2, $3, $4)', [
    'acme',
    subject,
    owner,
    during,
  ])

const event = (subject: string, time: string, bytes: string, acceptedAt = time) =>
  room.log.append({
    tenant: 'acme',
    type: 'api.call',
    subject,
    time: at(time),
    data: { bytes },
    acceptedAt: at(acceptedAt),
  })

const read = <Row>(sql: string) =>
  room.clickHouse.query<Row>(sql.replaceAll('finance.', `${room.installation.database}_finance.`))

const byCustomer = () =>
  read(`SELECT customer, subject, toString(day) AS day, toString(value) AS value FROM finance.usage_by_day
        ORDER BY customer, subject, day`)

async function passOver(until: string) {
  await room.log.write(at(until))
  const completeness = createCompleteness()
  const publication = createFinancePublication(room.clickHouse, completeness)
  await publication.publish(await readWatermarks(room.clickHouse, usageLogOf), await room.meters.all())
  return room.seal()
}

test('usage stands with the customer of its instant, also where a subject changes hands within an hour', async () => {
  event('shared', '2026-03-05T10:29:59.999999Z', '1')
  event('shared', '2026-03-05T10:30:00Z', '20')
  event('shared', '2026-03-05T11:00:00Z', '300')
  event('alone', '2026-03-05T10:00:00Z', largest)
  const twice = event('alone', '2026-03-05T10:00:00Z', '0.000000001')
  event('nobody', '2026-03-05T10:00:00Z', '7')
  await map('shared', 'initech', '[,2026-03-05T10:30:00Z)')
  await map('shared', 'hooli', '[2026-03-05T10:30:00Z,)')
  await map('alone', 'initech', '[,)')
  await raise(3)
  expect(await publish()).toBe(1)
  expect(await passOver('2026-03-06T00:00:00Z')).toMatchObject({ dirtyCells: 0 })
  await room.log.writeRaw(twice)
  expect(await byCustomer()).toEqual([
    { customer: '', subject: 'nobody', day: '2026-03-05', value: '7' },
    { customer: 'hooli', subject: 'shared', day: '2026-03-05', value: '320' },
    {
      customer: 'initech',
      subject: 'alone',
      day: '2026-03-05',
      value: '12345678901234567890123456789.12345679',
    },
    { customer: 'initech', subject: 'shared', day: '2026-03-05', value: '1' },
  ])
})

test('a change of the catalogue is published once, and what it removes is gone', async () => {
  await billing.query("DELETE FROM billing.subjects WHERE subject = 'alone' OR customer = 'hooli'")
  await raise(4)
  expect(await publish()).toBe(1)
  expect(await publish()).toBe(0)
  expect(await byCustomer()).toMatchObject([
    { customer: '', subject: 'alone' },
    { customer: '', subject: 'nobody' },
    { customer: '', subject: 'shared', value: '320' },
    { customer: 'initech', subject: 'shared', value: '1' },
  ])
  // Another process, which has seen nothing yet, finds nothing to write.
  await createSubjectPublication(billing, room.clickHouse).publish()
  const [rows] = await read<{ rows: string }>(
    'SELECT count() AS rows FROM billing_subjects WHERE revision = 4',
  )
  expect(rows).toEqual({ rows: '2' })
})

test('late usage is told with its lag, and whether it missed the month', async () => {
  event('late', '2026-03-31T23:59:59Z', '5', '2026-03-31T23:59:59.5Z')
  event('late', '2026-03-31T23:00:00Z', '6', '2026-04-01T00:00:00Z')
  event('late', '2026-03-30T23:00:00Z', '7', '2026-03-31T00:00:00Z')
  event('late', '2026-03-30T23:00:00Z', 'none', '2026-03-31T01:00:00Z')
  await passOver('2026-04-02T00:00:00Z')
  expect(
    await read(
      `SELECT toString(day) AS day, toString(total) AS total, events, unreadable, events_after_month, longest_lag_seconds
       FROM finance.late_usage ORDER BY day`,
    ),
  ).toEqual([
    {
      day: '2026-03-30',
      total: '7',
      events: '2',
      unreadable: '1',
      events_after_month: '0',
      longest_lag_seconds: '7200',
    },
    {
      day: '2026-03-31',
      total: '6',
      events: '1',
      unreadable: '0',
      events_after_month: '1',
      longest_lag_seconds: '3600',
    },
  ])
})

test('a day is complete when everything acknowledged before its end is in, by HTTP and Kafka', async () => {
  const days = () =>
    read(`SELECT toString(day) AS day, is_complete FROM finance.completeness_by_day ORDER BY day`)
  // The relay has not spoken yet: usage may still come by Kafka.
  expect(await days()).toEqual([
    { day: '2026-03-05', is_complete: 0 },
    { day: '2026-03-30', is_complete: 0 },
    { day: '2026-03-31', is_complete: 0 },
  ])
  await room.log.writeRelay('acme', at('2026-03-31T12:00:00Z'), at('2026-04-01T00:00:00Z'))
  event('late', '2026-04-02T12:00:00Z', '1')
  await passOver('2026-04-02T12:30:00Z')
  expect(await days()).toEqual([
    { day: '2026-03-05', is_complete: 1 },
    { day: '2026-03-30', is_complete: 1 },
    { day: '2026-03-31', is_complete: 0 },
    { day: '2026-04-02', is_complete: 0 },
  ])
})

test('a reader beside passes never sees an hour twice or not at all', async () => {
  const hours = Array.from({ length: 3 }, (_, hour) => `2026-05-01T${String(hour).padStart(2, '0')}:15:00Z`)
  for (const time of hours) event('steady', time, '1')
  await passOver('2026-05-02T00:00:00Z')
  let passes = 0
  const sealing = (async () => {
    for (; passes < 2; passes += 1) {
      for (const time of hours) event('other', time, '1')
      await passOver('2026-05-02T00:00:00Z')
    }
  })()
  const seen = new Set<string>()
  while (passes < 2) {
    const rows = await read<{ value: string }>(
      "SELECT toString(value) AS value FROM finance.usage_by_day WHERE subject = 'steady'",
    )
    seen.add(rows.map(({ value }) => value).join())
  }
  await sealing
  expect([...seen]).toEqual(['3'])
})
