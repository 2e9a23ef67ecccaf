import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { readConfig } from '@tidemark/infra/process/config.ts'
import { type RunningComponents, startComponents } from '@tidemark/infra/process/lifecycle.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { configSchema } from '@tidemark/reconciler/config.ts'
import { buildReconciler } from '@tidemark/reconciler/service.ts'
import type { Summary } from '@tidemark/reconciler/summary.ts'
import { billingEventsTopic, findingsTopic, legacyTopic } from '@tidemark/schemas/topics.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createInstallation, type Installation, type TestTenant } from '../installation.ts'

const log = createLog({ service: 'test', level: 'silent', pretty: false })
const period = { start: '2026-10-01T00:00:00.000000Z', end: '2026-11-01T00:00:00.000000Z' }
const port = 10_000 + Math.floor(Math.random() * 20_000)

let installation: Installation
let acme: TestTenant
let other: TestTenant
let running: RunningComponents
let kafka: ReturnType<typeof createKafka>
let producer: ReturnType<typeof createProducer>

beforeAll(async () => {
  installation = await createInstallation('reconciler')
  acme = await installation.createTenant('acme')
  other = await installation.createTenant('other')
  kafka = createKafka({ brokers: [installation.env.KAFKA_BROKERS ?? ''], clientId: 'test', log })
  producer = createProducer(kafka)
  running = await start()
})

afterAll(async () => {
  await running?.stop()
  await producer?.disconnect()
  await kafka?.disconnect()
  await installation?.remove()
})

function start(): Promise<RunningComponents> {
  const config = readConfig(configSchema, {
    ...installation.env,
    RECONCILER_PORT: String(port),
    RECONCILER_PAIR_WAIT_MS: '1500',
  })
  const fatal = (error: unknown) => {
    throw error
  }
  return startComponents(buildReconciler(config, { log, clock: systemClock, fatal }))
}

const legacy = (key: string, amount: string, currency = 'USD') => ({
  tenant: acme.tenant,
  kind: 'invoice',
  key,
  period,
  fields: { total: { amount, currency } },
  observedAt: period.end,
})

const opened = (key: string, total: string, currency = 'USD') => ({
  specversion: '1.0',
  type: 'billing.invoice.opened.v1',
  data: {
    tenant: acme.tenant,
    invoiceId: key,
    number: key,
    customer: 'c',
    subscription: key,
    period,
    currency,
    total,
    state: 'open',
  },
})

const send = (topic: string, values: unknown[]) =>
  producer.send(
    installation.prefix + topic,
    values.map((value) => ({
      key: null,
      partition: 0,
      value: Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
    })),
  )

async function ask<T>(path: string, key = acme.key): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { authorization: `Bearer ${key}` },
  })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return response.json() as Promise<T>
}

const summary = (key?: string) => ask<Summary>('/v1/reconciliation/summary', key)

test('sides in any order become findings with a cause each, and what stays alone is missing', async () => {
  await send(legacyTopic, [
    legacy('exact', '12.50'),
    legacy('rounded', '12.50'),
    legacy('only-old', '5.00'),
    Buffer.from('{broken'),
  ])
  await send(billingEventsTopic, [
    opened('exact', '12.5'),
    opened('rounded', '12.51'),
    opened('wrong', '120.00'),
    opened('only-new', '7.00'),
    { ...opened('ignored', '1'), type: 'billing.invoice.paid.v1' },
  ])
  await send(legacyTopic, [legacy('wrong', '12.00')])
  await vi.waitFor(async () => expect(await summary()).toMatchObject({ judged: 5, waiting: 0 }), {
    timeout: 30_000,
    interval: 100,
  })
  expect((await summary()).findings).toEqual({
    exact: 1,
    rounding: 1,
    missing_in_new: 1,
    missing_in_old: 1,
    currency: 0,
    unexplained: 1,
  })
  expect((await summary()).differences).toEqual([{ currency: 'USD', net: '110.01', absolute: '120.01' }])
})

test('a finding tells both sides, the difference and the rule', async () => {
  const { items } = await ask<{ items: unknown[] }>('/v1/reconciliation/findings?cause=unexplained')
  expect(items).toEqual([
    {
      tenant: acme.tenant,
      kind: 'invoice',
      key: 'wrong',
      period,
      cause: 'unexplained',
      rule: 'no-rule-applies',
      old: { amount: '12.00', currency: 'USD' },
      new: { amount: '120.00', currency: 'USD' },
      difference: '108',
      currency: 'USD',
      judgedAt: expect.any(String),
    },
  ])
})

test('findings reach Kafka and ClickHouse, and a record that cannot be read is kept with its reason', async () => {
  const clickHouse = createClickHouse({
    url: installation.env.CLICKHOUSE_URL ?? '',
    user: installation.env.CLICKHOUSE_USER ?? '',
    password: installation.env.CLICKHOUSE_PASSWORD ?? '',
    database: installation.database,
  })
  try {
    await vi.waitFor(
      async () => {
        const [row] = await clickHouse.query<{ findings: string }>(
          'SELECT count() AS findings FROM reconciliation_findings FINAL',
        )
        expect(row?.findings).toBe('5')
        const ends = await fetchEndOffsets(kafka, installation.prefix + findingsTopic)
        expect([...ends.values()].reduce((sum, end) => sum + end, 0n)).toBe(5n)
      },
      { timeout: 20_000, interval: 100 },
    )
  } finally {
    await clickHouse.close()
  }
  const pool = installation.openPool('tidemark_reconciler')
  const { rows } = await pool.query<{ reason: string }>(
    'SELECT reason FROM reconciliation.unreadable_records',
  )
  expect(rows).toEqual([{ reason: expect.stringContaining('not JSON') }])
})

test('differences above the threshold raise one critical alert for the hour', async () => {
  const pool = installation.openPool('tidemark_reconciler')
  const { rows } = await pool.query(
    "SELECT tenant, currency FROM reconciliation.alerts WHERE severity = 'critical'",
  )
  expect(rows).toEqual([{ tenant: acme.tenant, currency: 'USD' }])
})

test('another tenant’s key sees nothing, and no key nothing at all', async () => {
  expect(await summary(other.key)).toMatchObject({ judged: 0, waiting: 0, agreementRate: null })
  expect(await ask('/v1/reconciliation/findings', other.key)).toEqual({ items: [], nextCursor: null })
  await expect(ask('/v1/reconciliation/summary', 'tm_test_nonsense')).rejects.toThrow('401')
})

test.each([
  'findings?limt=5',
  'findings?cursor=x',
  'findings?limit=1001',
  'findings?cause=bad',
  'summary?key=a',
])('%s is refused, for another question would be answered', async (path) => {
  await expect(ask(`/v1/reconciliation/${path}`)).rejects.toThrow('400')
})

test('consumed again after a restart, the same records change nothing', async () => {
  await running.stop()
  const before = await countFindings()
  running = await start()
  await send(legacyTopic, [legacy('exact', '12.50'), legacy('wrong', '12.00'), legacy('after', '1.00')])
  await send(billingEventsTopic, [opened('after', '1.00')])
  await vi.waitFor(async () => expect((await summary()).findings.exact).toBe(2), {
    timeout: 30_000,
    interval: 100,
  })
  expect(await countFindings()).toBe(before + 1n)
})

async function countFindings(): Promise<bigint> {
  const pool = installation.openPool('tidemark_reconciler')
  const { rows } = await pool.query<{ findings: bigint }>(
    'SELECT count(*) AS findings FROM reconciliation.findings_outbox',
  )
  return rows[0]?.findings ?? 0n
}
