import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type DecodedRecord, decide } from '@tidemark/aggregator/deduplication/decide.ts'
import { type DeduplicationState, openState } from '@tidemark/aggregator/deduplication/state.ts'
import { packed } from '@tidemark/aggregator/packed-event.ts'
import { identityKey } from '@tidemark/schemas/event-identity.ts'
import { thousands } from '../../demonstration/print.ts'
import { benchEvent } from '../bench-event.ts'
import { type Figure, figureOf, type Measured, medianOf } from '../figure.ts'

export type DeduplicationOptions = {
  /** Identities that the state holds when decisions are measured; growing. */
  sizes: readonly number[]
  /** Where the state lies meanwhile; removed at the end. */
  directory: string
  /** Around the measured part and around each piece of the filling, for who shares the machine. */
  alone?<T>(work: () => Promise<T>): Promise<T>
  rest?(): Promise<void>
}

const partitions = 8
const batchRows = 25_000
/** Measured at each size: batches of new identities, every 50th a repetition of any of the state's. */
const measuredBatches = 32
const duplicateEvery = 50
const horizonMicros = 40 * 86_400_000_000
const filterBytes = 67_108_864

type Lane = { state: DeduplicationState; serials: number; nextOffset: bigint }

/**
 * Decisions per second, each with what it commits, as the state grows: reading and deciding a batch and writing its claims
 * are one figure, for compaction has to keep up with both.
 */
export async function measureDeduplication(options: DeduplicationOptions): Promise<Measured> {
  const { sizes, directory, alone = (work) => work(), rest = async () => {} } = options
  await rm(directory, { recursive: true, force: true })
  const lanes = await Promise.all(Array.from({ length: partitions }, (_, at) => openLane(directory, at)))
  const figures: Figure[] = []
  const lost: string[] = []
  const held = (): number => lanes.reduce((sum, { serials }) => sum + serials, 0)
  let first: number | undefined
  try {
    for (const size of sizes) {
      while (held() < size) {
        await rest()
        await Promise.all(lanes.map((lane, at) => run(lane, at, batchOf(lane, at, false))))
      }
      const measured = await alone(() => measure(lanes))
      const name = `deduplication_${size / 1_000_000}m`
      first ??= medianOf(measured.rates)
      figures.push(
        figureOf(name, 'decisions/s', measured.rates, { limit: first }),
        figureOf(`${name}_asked`, '% asked of the store', [measured.askedPercent]),
        figureOf(`${name}_disk`, 'MB', [(await bytesIn(directory)) / 1e6]),
        figureOf(`${name}_filter`, 'MB', [
          lanes.reduce((sum, { state }) => sum + state.use().filterBytes, 0) / 1e6,
        ]),
        figureOf(`${name}_memory`, 'MB RSS', [process.memoryUsage().rss / 1e6]),
      )
      lost.push(...measured.wrong)
      console.log(`  ${thousands(size)} identities: ${JSON.stringify(figures.slice(-5))}`)
    }
  } finally {
    for (const { state } of lanes) await state.close()
    await rm(directory, { recursive: true, force: true })
  }
  return { figures, lost }
}

async function openLane(directory: string, partition: number): Promise<Lane> {
  const state = await openState(join(directory, `p-${partition}`), {
    keptMicros: horizonMicros,
    filterBytes,
    onDamage(cause) {
      throw cause
    },
  })
  return { state, serials: 0, nextOffset: 0n }
}

/** A lane's own identities; those of a partition are as random as any others. */
function recordOf(partition: number, serial: number, offset: bigint): DecodedRecord {
  const event = packed(benchEvent(`p${partition}`, serial))
  const identity = identityKey(event.tenantNumber, event.source, event.id)
  return { offset, appendTimeMicros: event.acceptedAt, reading: { kind: 'event', event, identity } }
}

function batchOf(lane: Lane, partition: number, withDuplicates: boolean): DecodedRecord[] {
  const known = lane.serials
  return Array.from({ length: batchRows }, (_, at) => {
    const isDuplicate = withDuplicates && at % duplicateEvery === duplicateEvery - 1
    const serial = isDuplicate ? Math.floor(Math.random() * known) : lane.serials
    if (!isDuplicate) lane.serials += 1
    return recordOf(partition, serial, lane.nextOffset + BigInt(at))
  })
}

/** As the aggregator's loop does it; resolves with the duplicates that it found. */
async function run(lane: Lane, partition: number, batch: readonly DecodedRecord[]): Promise<number> {
  const { state } = lane
  const identities = batch.flatMap(({ reading }) => (reading.kind === 'event' ? [reading.identity] : []))
  const claims = await state.findClaims(identities)
  const { logTimeMicros } = state.position
  const knowledge = { log: 1, partition, horizonMicros, logTimeMicros, claims }
  const outcome = decide(batch, { ...knowledge, ledger: new Map(), histories: new Map() })
  lane.nextOffset += BigInt(batch.length)
  const last = batch.at(-1)
  const identity = identities.at(-1)
  await state.commit([...outcome.claimed.values()], {
    nextOffset: lane.nextOffset,
    logTimeMicros: outcome.logTimeMicros,
    last: last && identity && { offset: last.offset, identity, appendTimeMicros: last.appendTimeMicros },
  })
  return outcome.decisions.filter(({ verdict }) => verdict === 'duplicate').length
}

async function measure(
  lanes: readonly Lane[],
): Promise<{ rates: number[]; askedPercent: number; wrong: string[] }> {
  const rates: number[] = []
  const wrong: string[] = []
  const before = useOf(lanes)
  for (let round = 0; round < measuredBatches / partitions; round += 1) {
    const batches = lanes.map((lane, at) => batchOf(lane, at, true))
    const startedAt = performance.now()
    const found = await Promise.all(lanes.map((lane, at) => run(lane, at, batches[at] ?? [])))
    rates.push((partitions * batchRows * 1000) / (performance.now() - startedAt))
    for (const duplicates of found)
      if (duplicates !== batchRows / duplicateEvery)
        wrong.push(`${duplicates} duplicates were found in a batch`)
  }
  const after = useOf(lanes)
  const askedPercent = (100 * (after.askedStore - before.askedStore)) / (after.asked - before.asked)
  return { rates, askedPercent, wrong }
}

function useOf(lanes: readonly Lane[]): { asked: number; askedStore: number } {
  const uses = lanes.map(({ state }) => state.use())
  const sum = (of: (use: (typeof uses)[number]) => number) => uses.reduce((total, use) => total + of(use), 0)
  return { asked: sum(({ asked }) => asked), askedStore: sum(({ askedStore }) => askedStore) }
}

async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  // Compaction may remove a file meanwhile.
  const sizes = files.map((file) =>
    stat(join(file.parentPath, file.name)).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
