import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { fetchCommittedOffsets } from '@tidemark/infra/kafka/group-offsets.ts'
import { createProducer, type Producer } from '@tidemark/infra/kafka/producer.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { unframe } from '@tidemark/infra/schema-registry/framing.ts'
import { type RejectedEvent, rejectedEventType } from '@tidemark/schemas/usage-event.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createInstallation, type Installation } from '../installation.ts'
import {
  openKafka,
  type RunningIngest,
  readTopic,
  readUsageEvents,
  sampleEvent,
  soon,
  startIngest,
} from './ingest-room.ts'

let installation: Installation
let kafka: KafkaClient
let producer: Producer
let ingest: RunningIngest

beforeAll(async () => {
  installation = await createInstallation('relay')
  kafka = openKafka(installation.env)
  producer = createProducer(kafka)
  ingest = await startIngest(installation.env)
})

afterAll(async () => {
  await ingest?.stop()
  await producer?.disconnect()
  await kafka?.disconnect()
  await installation?.remove()
})

const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
type Sent = { value: unknown; headers?: Record<string, string> }

async function send(tenant: string, partition: number, records: Sent[]): Promise<void> {
  await producer.send(
    `${installation.prefix}usage.inbound.${tenant}`,
    records.map(({ value, headers = {} }) => ({
      partition,
      key: null,
      value: Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
      headers,
    })),
  )
}

async function relayed(tenant: string, count: number) {
  return vi.waitFor(async () => {
    const events = await readUsageEvents(kafka, installation.prefix)
    const own = events.filter((event) => event.tenant === tenant)
    expect(own).toHaveLength(count)
    return own
  }, soon)
}

async function rejected(tenant: string, count: number): Promise<RejectedEvent[]> {
  return vi.waitFor(async () => {
    const records = await readTopic(kafka, `${installation.prefix}usage.rejected`)
    const all = records.map(({ value }): RejectedEvent => {
      const framed = unframe(value)
      if (framed.kind === 'malformed') throw new Error(framed.reason)
      return rejectedEventType.fromBuffer(framed.payload)
    })
    const own = all.filter((event) => event.tenant === tenant)
    expect(own).toHaveLength(count)
    return own
  }, soon)
}

test('events of a tenant made after the start are relayed, with the append time where they have none', async () => {
  const tenant = await installation.createTenant('acme')
  const before = Date.now()
  const plain = sampleEvent()
  const timed = sampleEvent({ time: new Date(before - 5_000).toISOString() })
  await send('acme', 0, [{ value: plain }, { value: timed, headers: structured }])
  await send('acme', 3, [
    {
      value: { count: 3 },
      headers: {
        ce_specversion: '1.0',
        ce_id: 'binary',
        ce_source: '/test',
        ce_type: 'api.request',
        ce_subject: 's',
        'content-type': 'application/json',
      },
    },
  ])
  const events = await relayed('acme', 3)
  const byId = new Map(events.map((event) => [event.id, event]))
  expect(byId.get(String(timed.id))?.time).toBe((before - 5_000) * 1000)
  expect(byId.get('binary')).toMatchObject({ data: '{"count":3}', tenantNumber: tenant.tenantNumber })
  const untimed = byId.get(String(plain.id))
  expect(untimed?.time).toBe(untimed?.acceptedAt)
  expect(untimed?.time).toBeGreaterThanOrEqual(before * 1000)
})

test('what cannot be billed goes to usage.rejected with its bytes, its place and the reason', async () => {
  await installation.createTenant('broken')
  const wrong = sampleEvent({ subject: undefined })
  await send('broken', 1, [
    { value: sampleEvent() },
    { value: Buffer.from('{"specversion":'), headers: structured },
    { value: wrong },
    { value: Buffer.from([0xff]) },
    { value: Buffer.alloc(0) },
    { value: sampleEvent(), headers: { 'content-type': 'application/avro' } },
    { value: [sampleEvent()] },
    { value: sampleEvent() },
  ])
  await relayed('broken', 2)
  const found = await rejected('broken', 6)
  expect(found.map(({ code, originOffset }) => [originOffset, code])).toEqual([
    [1, 'record_not_json'],
    [2, 'attribute_missing'],
    [3, 'record_not_utf8'],
    [4, 'record_empty'],
    [5, 'record_content_type'],
    [6, 'event_not_object'],
  ])
  expect(found[0]).toMatchObject({
    original: Buffer.from('{"specversion":'),
    contentType: structured['content-type'],
    originTopic: `${installation.prefix}usage.inbound.broken`,
    originPartition: 1,
    reason: expect.stringContaining('character 15'),
  })
  expect(found[1]).toMatchObject({
    original: Buffer.from(JSON.stringify(wrong)),
    reason: expect.stringMatching(/^subject: /),
  })
  expect(Math.abs((found[0]?.originTime ?? 0) - Date.now())).toBeLessThan(60_000)
})

test('an offset is committed once its events are in the log, and the watermark follows', async () => {
  await installation.createTenant('marks')
  const clickHouse = createClickHouse({
    url: installation.env.CLICKHOUSE_URL ?? '',
    user: installation.env.CLICKHOUSE_USER ?? '',
    password: installation.env.CLICKHOUSE_PASSWORD ?? '',
    database: installation.database,
  })
  try {
    await send(
      'marks',
      2,
      Array.from({ length: 700 }, () => ({ value: sampleEvent() })),
    )
    const acknowledged = Date.now()
    const events = await relayed('marks', 700)
    expect(new Set(events.map(({ id }) => id)).size).toBe(700)
    const topic = `${installation.prefix}usage.inbound.marks`
    const ends = await fetchEndOffsets(kafka, topic)
    await vi.waitFor(async () => {
      const committed = await fetchCommittedOffsets(kafka, `${installation.prefix}ingest-relay`, [topic])
      expect(committed.get(topic)?.get(2)).toBe(ends.get(2))
    }, soon)
    await vi.waitFor(async () => {
      const rows = await clickHouse.query<{ partition: number; next: string; until: string; before: string }>(
        `SELECT partition, max(next_offset) AS next, toUnixTimestamp64Milli(max(complete_until)) AS until,
           toUnixTimestamp64Milli(max(relayed_before)) AS before
         FROM usage_watermarks WHERE topic = 'usage.inbound.marks' AND log = 1 GROUP BY partition ORDER BY partition`,
      )
      expect(rows.map(({ partition, next }) => [partition, next])).toEqual([
        [0, '0'],
        [1, '0'],
        [2, '700'],
        [3, '0'],
      ])
      for (const { until, before } of rows) {
        expect(Number(until)).toBeGreaterThan(acknowledged)
        expect(Number(before)).toBeGreaterThanOrEqual(Number(until))
      }
    }, soon)
  } finally {
    await clickHouse.close()
  }
})

test('a second relay shares the work, and takes it over when the first ends', async () => {
  await installation.createTenant('shared')
  const second = await startIngest(installation.env)
  try {
    await send(
      'shared',
      0,
      Array.from({ length: 300 }, () => ({ value: sampleEvent() })),
    )
    await ingest.stop()
    await send(
      'shared',
      1,
      Array.from({ length: 300 }, () => ({ value: sampleEvent() })),
    )
    await vi.waitFor(async () => {
      const events = await readUsageEvents(kafka, installation.prefix)
      const ids = new Set(events.filter(({ tenant }) => tenant === 'shared').map(({ id }) => id))
      expect(ids.size).toBe(600)
    }, soon)
    expect([...ingest.fatal, ...second.fatal]).toEqual([])
  } finally {
    ingest = second
  }
})
