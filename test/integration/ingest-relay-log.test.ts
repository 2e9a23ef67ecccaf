import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { fetchCommittedOffsets } from '@tidemark/infra/kafka/group-offsets.ts'
import { createProducer, type Producer } from '@tidemark/infra/kafka/producer.ts'
import { deleteRecordsBefore, deleteTopics, fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createInstallation, type Installation } from '../installation.ts'
import {
  openKafka,
  type RunningIngest,
  readUsageEvents,
  sampleEvent,
  soon,
  startIngest,
} from './ingest-room.ts'

let installation: Installation
let kafka: KafkaClient
let producer: Producer
let ingest: RunningIngest | undefined

beforeAll(async () => {
  installation = await createInstallation('relaylog')
  kafka = openKafka(installation.env)
  producer = createProducer(kafka)
})

afterEach(async () => {
  await ingest?.stop()
  ingest = undefined
})

afterAll(async () => {
  await producer?.disconnect()
  await kafka?.disconnect()
  await installation?.remove()
})

async function start(overrides: Record<string, string> = {}): Promise<RunningIngest> {
  ingest = await startIngest(installation.env, overrides)
  return ingest
}

async function stop(): Promise<void> {
  await ingest?.stop()
  expect(ingest?.fatal ?? []).toEqual([])
  ingest = undefined
}

const inbound = (tenant: string): string => `${installation.prefix}usage.inbound.${tenant}`
const groupId = (): string => `${installation.prefix}ingest-relay`
const message = (event: Record<string, unknown>) => ({
  partition: 0,
  key: null,
  value: Buffer.from(JSON.stringify(event)),
})

async function send(tenant: string, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, () => sampleEvent())
  await producer.send(inbound(tenant), events.map(message))
  return events.map(({ id }) => String(id))
}

async function relayedIds(tenant: string): Promise<string[]> {
  const events = await readUsageEvents(kafka, installation.prefix)
  return events.filter((event) => event.tenant === tenant).map(({ id }) => id)
}

const expectRelayed = (tenant: string, ids: readonly string[]) =>
  vi.waitFor(async () => expect((await relayedIds(tenant)).sort()).toEqual([...ids].sort()), soon)

/** The probe stays ready, and both it and the metrics name what stands still. */
async function expectStopped(url: string, tenant: string, code: string): Promise<void> {
  await vi.waitFor(async () => {
    const probe = await fetch(`${url}/readyz`)
    const answer: unknown = await probe.json()
    expect([probe.status, answer]).toEqual([
      200,
      {
        status: 'ready',
        checks: expect.objectContaining({
          relay: { ok: false, durationMs: 0, reason: expect.stringContaining(`${inbound(tenant)}/`) },
        }),
      },
    ])
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(
      new RegExp(`tidemark_ingest_relay_stopped\\{.*topic="${inbound(tenant)}".*code="${code}".*\\} 1`),
    )
  }, soon)
}

async function setOffset(tenant: string, offset: string): Promise<void> {
  const partitions = [{ partition: 0, offset }]
  await kafka.withAdmin('setting an offset', (admin) =>
    admin.setOffsets({ groupId: groupId(), topic: inbound(tenant), partitions }),
  )
}

test('records that retention removed before they were relayed stop that topic, and no other', async () => {
  await installation.createTenant('short')
  await installation.createTenant('other')
  await start()
  await expectRelayed('short', await send('short', 3))
  await vi.waitFor(async () => {
    const committed = await fetchCommittedOffsets(kafka, groupId(), [inbound('short')])
    expect(committed.get(inbound('short'))?.get(0)).toBe(3n)
  }, soon)
  await stop()
  const before = await relayedIds('short')
  await send('short', 5)
  await deleteRecordsBefore(kafka, inbound('short'), 0, 6n)
  const { url } = await start()
  await expectRelayed('other', await send('other', 4))
  await expectStopped(url, 'short', 'log_truncated')
  expect((await relayedIds('short')).sort()).toEqual(before.sort())

  await stop()
  await setOffset('short', '6')
  await start()
  await vi.waitFor(async () => expect(await relayedIds('short')).toHaveLength(5), soon)
  await stop()
})

test('a log that ends before the place where the relay is to go on stops that topic, and no other', async () => {
  await installation.createTenant('rewound')
  await send('rewound', 2)
  await setOffset('rewound', '700')
  const { url } = await start()
  const ids = await send('other', 1)
  await vi.waitFor(async () => expect(await relayedIds('other')).toContain(ids[0]), soon)
  await expectStopped(url, 'rewound', 'log_rewound')
  expect(await relayedIds('rewound')).toEqual([])
  await stop()
})

test('a topic made anew too fast for the poll is not taken for the one before', async () => {
  await installation.createTenant('anew')
  const { url } = await start({ INGEST_TENANT_POLL_MS: '300000' })
  await expectRelayed('anew', await send('anew', 20))
  await deleteTopics(kafka, [inbound('anew')])
  await installation.createTenant('anew')
  await send('anew', 1)
  await expectStopped(url, 'anew', 'log_rewound')
  expect(await relayedIds('anew')).toHaveLength(20)
  await stop()
})

test('a deleted topic holds up nobody, is told, and is served again once it is made again', async () => {
  await installation.createTenant('deleted')
  await installation.createTenant('bystander')
  const { url } = await start()
  const first = await send('deleted', 2)
  await expectRelayed('deleted', first)
  await deleteTopics(kafka, [inbound('deleted')])
  // A producer, too, asks for every topic that it ever met.
  await producer.disconnect()
  producer = createProducer(kafka)
  await expectRelayed('bystander', await send('bystander', 1))
  await expectStopped(url, 'deleted', 'topic_missing')
  await installation.createTenant('deleted')
  await expectRelayed('deleted', [...first, ...(await send('deleted', 3))])
  await stop()
})

test('transactions: what was committed is relayed once, what was aborted never, and the watermark gets by', async () => {
  await installation.createTenant('txn')
  await start()
  const transactional = kafka.open().producer({
    transactionalId: `${installation.prefix}txn`,
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await transactional.connect()
  const committed: string[] = []
  for (const outcome of ['commit', 'abort', 'commit', 'abort', 'commit', 'abort'] as const) {
    const transaction = await transactional.transaction()
    const events = Array.from({ length: 3 }, () => sampleEvent())
    await transaction.send({ topic: inbound('txn'), messages: events.map(message) })
    await transaction[outcome]()
    if (outcome === 'commit') committed.push(...events.map(({ id }) => String(id)))
  }
  await transactional.disconnect()
  await expectRelayed('txn', committed)
  const end = (await fetchEndOffsets(kafka, inbound('txn'))).get(0)
  const clickHouse = createClickHouse({
    url: installation.env.CLICKHOUSE_URL ?? '',
    user: installation.env.CLICKHOUSE_USER ?? '',
    password: installation.env.CLICKHOUSE_PASSWORD ?? '',
    database: installation.database,
  })
  try {
    await vi.waitFor(async () => {
      const rows = await clickHouse.query<{ next: string }>(
        `SELECT max(next_offset) AS next FROM usage_watermarks WHERE topic = 'usage.inbound.txn' AND partition = 0`,
      )
      expect(rows).toEqual([{ next: String(end) }])
    }, soon)
  } finally {
    await clickHouse.close()
  }
  expect(await relayedIds('txn')).toHaveLength(committed.length)
  await stop()
})
