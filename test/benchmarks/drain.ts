import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { recordFile } from '@tidemark/infra/stack/places.ts'
import { readRecord } from '@tidemark/infra/stack/process-record.ts'
import { usageEventsTopic } from '@tidemark/schemas/topics.ts'
import { finish, step, thousands } from '../demonstration/print.ts'
import { countRaw, countVerdicts, openStores, type Stores } from '../demonstration/stores.ts'
import { type Installation, installOn } from '../installation.ts'
import { acceptedOf, backlog, duplicatesOf, sendBacklog } from './backlog.ts'
import { benchTenant } from './bench-event.ts'
import type { BenchStack } from './bench-stack.ts'
import type { ConsumeOrder, ConsumeReport } from './consume-alone.ts'
import { type Figure, figureOf, type Measured, medianOf } from './figure.ts'
import type { InsertOrder, InsertReport } from './insert-alone.ts'
import { countLedger } from './ledger-count.ts'
import { sampleProcess } from './process-sampler.ts'
import { runWorker } from './worker.ts'

const rounds = 3
const drainWithinMs = 300_000
const pollMs = 50

/** As the aggregator's own defaults; 160 bytes a record make it batches of so many rows. */
const fetching = { minBytes: 1_048_576, maxWaitTimeMs: 250, maxBytesPerPartition: 4_194_304 }
const batchRows = 26_100

export type DrainOptions = {
  records: number
  /** Aggregators that share the partitions; the ceilings are only taken beside one. Default 1. */
  processes?: number
}

type Drained = {
  eventsPerSecond: number
  cpuMicrosPerEvent: number
  clickHouseCpuMicrosPerEvent: number
  peakMegabytes: number
}

type Round = { drained: Drained; consumed: number[]; inserted: number[]; lost: string[] }

/** Records per second that aggregators take from the log to raw and ledger, beside the ceilings of both its sides. */
export async function measureDrain(
  bench: BenchStack,
  { records, processes = 1 }: DrainOptions,
): Promise<Measured> {
  const name = processes === 1 ? 'drain' : `drain_${processes}_processes`
  const all: Round[] = []
  for (let round = 1; round <= rounds; round += 1) {
    const title = `${name} ${round}/${rounds}`
    all.push(await measureRound(bench, title, { records, processes }))
    const [a, b, c] = [
      all.at(-1)?.drained.eventsPerSecond,
      all.at(-1)?.consumed[0],
      all.at(-1)?.inserted[0],
    ].map((rate) => (rate === undefined ? '–' : thousands(Math.round(rate))))
    finish('✔', `${title}: aggregator ${a}, kafkajs consuming ${b}, ClickHouse inserting ${c} events/s`)
  }
  return { figures: figuresOf(name, all), lost: all.flatMap(({ lost }) => lost) }
}

function figuresOf(name: string, all: readonly Round[]): Figure[] {
  const consumed = all.flatMap((round) => round.consumed)
  const inserted = all.flatMap((round) => round.inserted)
  const of = (pick: (drained: Drained) => number): number[] => all.map(({ drained }) => pick(drained))
  const rates = of(({ eventsPerSecond }) => eventsPerSecond)
  if (consumed.length === 0) return [figureOf(name, 'events/s', rates)]
  return [
    figureOf(name, 'events/s', rates, { limit: Math.min(medianOf(consumed), medianOf(inserted)) }),
    figureOf(`${name}_kafkajs`, 'events/s', consumed),
    figureOf(`${name}_clickhouse`, 'events/s', inserted),
    figureOf(
      `${name}_cpu`,
      'µs/event',
      of((drained) => drained.cpuMicrosPerEvent),
    ),
    figureOf(
      `${name}_cpu_clickhouse`,
      'µs/event',
      of((drained) => drained.clickHouseCpuMicrosPerEvent),
    ),
    figureOf(
      `${name}_peak_memory`,
      'MB RSS',
      of((drained) => drained.peakMegabytes),
    ),
  ]
}

async function measureRound(
  bench: BenchStack,
  title: string,
  { records, processes }: { records: number; processes: number },
): Promise<Round> {
  const installation = await installOn(bench.stack.environment, 'drain')
  const stores = openStores(installation.env)
  try {
    await installation.createTenant(benchTenant)
    await step(`${title}: a backlog of ${thousands(records)} records`, () =>
      sendBacklog(installation.env, installation.prefix, records),
    )
    const withCeilings = processes === 1
    const alone = withCeilings ? await consumeAlone(installation, records) : undefined
    const drained = await drain(bench, installation, stores, { records, processes })
    const lost = await findLost(stores, records)
    if (withCeilings) await emptyTables(stores)
    const insert = withCeilings ? await insertAlone(installation, records) : undefined
    return {
      drained,
      consumed: alone === undefined ? [] : [alone.records / alone.seconds],
      inserted: insert === undefined ? [] : [insert.events / insert.seconds],
      lost,
    }
  } finally {
    await stores.close()
    await installation.remove()
  }
}

/** From the first partition's opening to the last ledger row; CPU time is all of a process's, its threads included. */
async function drain(
  bench: BenchStack,
  { env, prefix }: Installation,
  stores: Stores,
  { records, processes }: { records: number; processes: number },
): Promise<Drained> {
  const clickHouse = await readRecord(recordFile(bench.stack.dir, 'clickhouse'))
  const AGGREGATOR_STATE_DIRECTORY = join(bench.stack.dir, 'state', prefix)
  const aggregators = await Promise.all(
    Array.from({ length: processes }, (_, at) =>
      bench.spawn('aggregator', { ...env, AGGREGATOR_STATE_DIRECTORY }, `${prefix}${at}`),
    ),
  )
  const samplers = aggregators.map(({ process }) => sampleProcess(process.pid ?? 0))
  const server = sampleProcess(clickHouse?.pid ?? 0)
  const deadline = Date.now() + drainWithinMs
  while ((await countLedger(stores)) < records) {
    const ended = aggregators.find(({ process }) => process.exitCode !== null)
    if (Date.now() > deadline || ended !== undefined)
      throw new Error(`the backlog was not drained in time: see ${(ended ?? aggregators[0])?.logFile}`)
    await pause(pollMs)
  }
  const endedAtMs = Date.now()
  const startedAtMs = Math.min(...(await Promise.all(aggregators.map(({ logFile }) => openedAtMs(logFile)))))
  const cpuMs = samplers.reduce((sum, each) => sum + each.cpuMsBetween(startedAtMs, endedAtMs), 0)
  const peakBytes = Math.max(...samplers.map((each) => each.peakBytes()))
  const serverCpuMs = server.cpuMsBetween(startedAtMs, endedAtMs)
  for (const sampler of [...samplers, server]) sampler.stop()
  await Promise.all(aggregators.map((aggregator) => aggregator.stop()))
  return {
    eventsPerSecond: (records * 1000) / (endedAtMs - startedAtMs),
    cpuMicrosPerEvent: (cpuMs * 1000) / records,
    clickHouseCpuMicrosPerEvent: (serverCpuMs * 1000) / records,
    peakMegabytes: peakBytes / 1e6,
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

async function findLost(stores: Stores, records: number): Promise<string[]> {
  const verdicts = await countVerdicts(stores)
  const found = [
    ['accepted', verdicts.get('accepted') ?? 0, acceptedOf(records)],
    ['duplicate', verdicts.get('duplicate') ?? 0, duplicatesOf(records)],
    ['raw', await countRaw(stores), acceptedOf(records)],
    ['distinct', await countDistinct(stores), acceptedOf(records)],
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

const consumeAlone = ({ env, prefix }: Installation, records: number): Promise<ConsumeReport> =>
  runWorker('consume-alone.ts', {
    ...fetching,
    brokers: env.KAFKA_BROKERS ?? '',
    topic: prefix + usageEventsTopic,
    groupId: `${prefix}bench-consume`,
    records,
  } satisfies ConsumeOrder)

const insertAlone = ({ env, database }: Installation, records: number): Promise<InsertReport> =>
  runWorker('insert-alone.ts', {
    url: env.CLICKHOUSE_URL ?? '',
    user: env.CLICKHOUSE_USER ?? '',
    password: env.CLICKHOUSE_PASSWORD ?? '',
    database,
    run: backlog.run,
    events: records,
    batchRows,
  } satisfies InsertOrder)
