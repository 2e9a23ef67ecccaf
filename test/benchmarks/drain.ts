import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { usageEventsTopic } from '@tidemark/schemas/topics.ts'
import { finish, step, thousands } from '../demonstration/print.ts'
import { countRaw, countVerdicts, openStores, type Stores } from '../demonstration/stores.ts'
import { type Installation, installOn } from '../installation.ts'
import { acceptedOfBacklog, backlog, duplicatesOfBacklog, sendBacklog } from './backlog.ts'
import { benchTenant } from './bench-event.ts'
import type { BenchStack } from './bench-stack.ts'
import type { ConsumeOrder, ConsumeReport } from './consume-alone.ts'
import { figureOf, type Measured, medianOf } from './figure.ts'
import type { InsertOrder, InsertReport } from './insert-alone.ts'
import { countLedger } from './ledger-count.ts'
import { sampleProcess } from './process-sampler.ts'
import { runWorker } from './worker.ts'

const rounds = 3
const drainWithinMs = 120_000
const pollMs = 50

/** As the aggregator's own defaults; 160 bytes a record make it batches of so many rows. */
const fetching = { minBytes: 1_048_576, maxWaitTimeMs: 250, maxBytesPerPartition: 4_194_304 }
const batchRows = 26_100

type Drained = { eventsPerSecond: number; cpuMicrosPerEvent: number; peakMegabytes: number }

/** Records per second that one aggregator process takes from the log to raw and ledger, beside its two ceilings. */
export async function measureDrain(bench: BenchStack): Promise<Measured> {
  const drains: Drained[] = []
  const consumed: number[] = []
  const inserted: number[] = []
  const lost: string[] = []
  for (let round = 1; round <= rounds; round += 1) {
    const installation = await installOn(bench.stack.environment, `drain${round}`)
    const stores = openStores(installation.env)
    try {
      await installation.createTenant(benchTenant)
      await step(`Backlog ${round}/${rounds}: ${thousands(backlog.records)} records`, () =>
        sendBacklog(installation.env, installation.prefix),
      )
      const alone = await consumeAlone(installation)
      consumed.push(alone.records / alone.seconds)
      drains.push(await drain(bench, installation, stores, `drain-${round}`))
      lost.push(...(await findLost(stores)))
      await emptyTables(stores)
      const insert = await insertAlone(installation)
      inserted.push(insert.events / insert.seconds)
    } finally {
      await stores.close()
    }
    await installation.remove()
    const [a, b, c] = [drains.at(-1)?.eventsPerSecond, consumed.at(-1), inserted.at(-1)].map((rate) =>
      thousands(Math.round(rate ?? 0)),
    )
    finish(
      '✔',
      `Drain ${round}/${rounds}: aggregator ${a}, kafkajs consuming ${b}, ClickHouse inserting ${c} events/s`,
    )
  }
  const limit = Math.min(medianOf(consumed), medianOf(inserted))
  const of = (pick: (drained: Drained) => number): number[] => drains.map(pick)
  return {
    figures: [
      figureOf(
        'drain',
        'events/s',
        of(({ eventsPerSecond }) => eventsPerSecond),
        { limit },
      ),
      figureOf('drain_kafkajs', 'events/s', consumed),
      figureOf('drain_clickhouse', 'events/s', inserted),
      figureOf(
        'drain_cpu',
        'µs/event',
        of(({ cpuMicrosPerEvent }) => cpuMicrosPerEvent),
      ),
      figureOf(
        'drain_peak_memory',
        'MB RSS',
        of(({ peakMegabytes }) => peakMegabytes),
      ),
    ],
    lost,
  }
}

/** From the first partition's opening to the last ledger row; CPU time is all of the process's, its threads included. */
async function drain(
  bench: BenchStack,
  { env }: Installation,
  stores: Stores,
  name: string,
): Promise<Drained> {
  const state = { AGGREGATOR_STATE_DIRECTORY: join(bench.stack.dir, 'state', name) }
  const aggregator = await bench.spawn('aggregator', { ...env, ...state }, name)
  const sampler = sampleProcess(aggregator.process.pid ?? 0)
  const deadline = Date.now() + drainWithinMs
  while ((await countLedger(stores)) < backlog.records) {
    if (Date.now() > deadline || aggregator.process.exitCode !== null)
      throw new Error(`the backlog was not drained in time: see ${aggregator.logFile}`)
    await pause(pollMs)
  }
  const endedAtMs = Date.now()
  const startedAtMs = await openedAtMs(aggregator.logFile)
  const cpuMs = sampler.cpuMsBetween(startedAtMs, endedAtMs)
  const peakMegabytes = sampler.peakBytes() / 1e6
  sampler.stop()
  await aggregator.stop()
  return {
    eventsPerSecond: (backlog.records * 1000) / (endedAtMs - startedAtMs),
    cpuMicrosPerEvent: (cpuMs * 1000) / backlog.records,
    peakMegabytes,
  }
}

/** When the service said that it goes on with its first partition: nothing was fetched before. */
async function openedAtMs(logFile: string): Promise<number> {
  const opened = (await readFile(logFile, 'utf8'))
    .split('\n')
    .find((line) => line.includes('"partition opened"'))
  if (opened === undefined) throw new Error(`no partition was opened: see ${logFile}`)
  return Date.parse(JSON.parse(opened).time)
}

async function findLost(stores: Stores): Promise<string[]> {
  const verdicts = await countVerdicts(stores)
  const found = [
    ['accepted', verdicts.get('accepted') ?? 0, acceptedOfBacklog],
    ['duplicate', verdicts.get('duplicate') ?? 0, duplicatesOfBacklog],
    ['raw', await countRaw(stores), acceptedOfBacklog],
    ['distinct', await countDistinct(stores), acceptedOfBacklog],
  ] as const
  return found
    .filter(([, count, expected]) => count !== expected)
    .map(([what, count, expected]) => `${what}: ${count} instead of ${expected} of the backlog`)
}

async function countDistinct({ clickHouse }: Stores): Promise<number> {
  const [row] = await clickHouse.query<{ ids: string }>(
    'SELECT uniqExact(source, id) AS ids FROM usage_events',
  )
  return Number(row?.ids ?? 0)
}

async function emptyTables({ clickHouse }: Stores): Promise<void> {
  for (const table of ['usage_events', 'usage_ledger', 'usage_ledger_by_identity', 'usage_ledger_by_cell'])
    await clickHouse.command(`TRUNCATE TABLE ${table}`)
}

const consumeAlone = ({ env, prefix }: Installation): Promise<ConsumeReport> =>
  runWorker('consume-alone.ts', {
    ...fetching,
    brokers: env.KAFKA_BROKERS ?? '',
    topic: prefix + usageEventsTopic,
    groupId: `${prefix}bench-consume`,
    records: backlog.records,
  } satisfies ConsumeOrder)

const insertAlone = ({ env, database }: Installation): Promise<InsertReport> =>
  runWorker('insert-alone.ts', {
    url: env.CLICKHOUSE_URL ?? '',
    user: env.CLICKHOUSE_USER ?? '',
    password: env.CLICKHOUSE_PASSWORD ?? '',
    database,
    run: backlog.run,
    events: backlog.records,
    batchRows,
  } satisfies InsertOrder)
