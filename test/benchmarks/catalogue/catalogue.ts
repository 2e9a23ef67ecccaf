import { createMeterStore } from '@tidemark/aggregator/metering/meter-store.ts'
import { openAdminConnection } from '@tidemark/infra/migrations/admin-connection.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { finish, heading, step, thousands } from '../../demonstration/print.ts'
import { openStores } from '../../demonstration/stores.ts'
import { installOn } from '../../installation.ts'
import { waitUntilReady } from '../../service-processes.ts'
import type { BenchStack } from '../bench-stack.ts'
import { type Figure, figureOf, type Measured } from '../figure.ts'
import { dataSet, dataSetOf, writeDataSet } from '../query/usage-data-set.ts'
import { runWorker } from '../worker.ts'
import type { RequestOrder, RequestReport } from './request-load.ts'
import { company, customerKey, customerOf, type LoadKind, subscriptionKey } from './requests.ts'

const meters: Meter[] = [
  { key: 'calls', eventType: dataSet.type, aggregation: 'count', dimensions: { region: 'region' } },
  { key: 'bytes', eventType: dataSet.type, aggregation: 'sum', valuePath: 'bytes' },
]

const plan = {
  id: 'pro',
  name: 'Pro',
  currency: 'USD',
  minimum: { amount: '50.00' },
  prices: [
    { id: 'base', model: 'flat', amount: '29.00' },
    { id: 'seats', model: 'per-unit', unitPrice: '9.00' },
    { id: 'calls', model: 'per-unit', meter: 'calls', unitPrice: '0.002', freeUnits: '100' },
    {
      id: 'bytes',
      model: 'graduated',
      meter: 'bytes',
      tiers: [
        { upTo: '1000000', unitPrice: '0' },
        { upTo: null, unitPrice: '0.00001' },
      ],
    },
  ],
}

const usageEvents = 1_000_000
const rounds = 3
/** What is asked for, how often per second, and how many milliseconds 95 of 100 requests may take. */
type Load = { kind: LoadKind; rate: number; limitMs: number }
const loads: readonly Load[] = [
  { kind: 'catalogue', rate: 200, limitMs: 20 },
  { kind: 'subscriptions', rate: 200, limitMs: 20 },
  { kind: 'pricing', rate: 200, limitMs: 50 },
  { kind: 'preview', rate: 10, limitMs: 50 },
  { kind: 'preview', rate: 200, limitMs: 50 },
]

/** Catalogue, subscriptions and previews at 200 requests per second, with a hundred thousand customers. */
export async function measureCatalogue(bench: BenchStack): Promise<Measured> {
  const installation = await installOn(bench.stack.environment, 'catalogue')
  const { env, database } = installation
  const { key } = await installation.createTenant(dataSet.tenant)
  const stores = openStores(env)
  const set = dataSetOf(usageEvents, Date.now())
  const start = formatInstant(set.from)
  heading(`${thousands(company.customers)} customers, ${thousands(usageEvents)} events of usage`)
  try {
    const meterStore = createMeterStore(installation.openPool('tidemark_aggregator'))
    for (const meter of meters) await meterStore.register(dataSet.tenant, meter)
    await step('Usage written inside ClickHouse', () => writeDataSet(stores.clickHouse, set))
    const invoicer = await bench.spawn(
      'invoicer',
      { ...env, INVOICER_COLLECTION_ENABLED: 'false' },
      'catalogue',
    )
    await waitUntilReady(invoicer)
    await step('Customers and subscriptions applied as catalogues of 10,000', () =>
      seed(invoicer.url, key, start),
    )
    await step('Statistics, as autovacuum would take them within minutes', () =>
      analyze(env.POSTGRES_URL ?? '', database),
    )
    const port = Number(new URL(invoicer.url).port)
    const measured = await measure({ port, key, start })
    await invoicer.stop()
    return measured
  } finally {
    await stores.close()
    await installation.remove()
  }
}

async function seed(url: string, key: string, start: string): Promise<void> {
  const chunk = 10_000
  for (let from = 0; from < company.customers; from += chunk) {
    const indices = Array.from({ length: chunk }, (_, at) => from + at)
    const body = {
      ...(from === 0 ? { plans: [plan] } : {}),
      customers: indices.map((index) => customerOf(index)),
      subscriptions: indices
        .filter((index) => index < company.subscribed)
        .map((index) => ({
          key: subscriptionKey(index),
          customer: customerKey(index),
          plan: plan.id,
          start,
        })),
    }
    const answer = await fetch(`${url}/v1/catalogue`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!answer.ok)
      throw new Error(`the catalogue was answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`)
  }
}

async function analyze(url: string, database: string): Promise<void> {
  const admin = await openAdminConnection(url, database)
  await admin.query('ANALYZE')
  await admin.end()
}

async function measure(target: { port: number; key: string; start: string }): Promise<Measured> {
  const samples = new Map<Load, { p95Ms: number[]; latenciesMicros: number[] }>()
  const lost: string[] = []
  for (let round = 0; round < rounds; round += 1)
    for (const load of loads) {
      const { kind, rate } = load
      const firstSerial = round * 100_000
      const order: RequestOrder = { ...target, kind, rate, firstSerial, warmUpMs: 1_000, durationMs: 5_000 }
      const { latenciesMicros, failures } = await runWorker<RequestReport>('catalogue/request-load.ts', order)
      lost.push(...failures)
      const p95 = percentile(latenciesMicros, 0.95) / 1000
      finish('✔', `${kind} at ${rate}/s, round ${round + 1}: 95 of 100 within ${p95.toFixed(1)} ms`)
      const known = samples.get(load) ?? { p95Ms: [], latenciesMicros: [] }
      samples.set(load, {
        p95Ms: [...known.p95Ms, p95],
        latenciesMicros: [...known.latenciesMicros, ...latenciesMicros],
      })
    }
  const figures: Figure[] = [...samples].map(([{ kind, rate, limitMs }, { p95Ms, latenciesMicros }]) =>
    figureOf(`${kind}_p95_at_${rate}`, 'ms', p95Ms, { limit: limitMs, latenciesMicros }),
  )
  return { figures, lost }
}

function percentile(latencies: readonly number[], share: number): number {
  const sorted = Float64Array.from(latencies).sort()
  return sorted[Math.floor(sorted.length * share)] ?? 0
}
