import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { finish, thousands } from '../../demonstration/print.ts'
import { type Figure, figureOf, type Measured, medianOf } from '../figure.ts'
import { duplicateEvery, openLane, type StateLane } from './state-lane.ts'

const partitions = 8
const batchRows = 25_000
/** Measured at each size, for each partition. */
const measuredBatches = 4
const horizonMicros = 40 * 86_400_000_000
/** What the state keeps where it expires. */
const keptIdentities = 2_000_000
const directory = join(import.meta.dirname, '..', '..', '..', '.local', 'bench-state')
const everything = Number.MAX_SAFE_INTEGER

/** The benchmark `deduplication`: as the state grows, and while it stays as large as it is. */
export async function measureDeduplicationAlone(sizes: readonly number[]): Promise<Measured> {
  const growing = await measureDeduplication(directory, sizes)
  const expiring = await measureExpiry(directory, keptIdentities)
  return {
    figures: [...growing.figures, ...expiring.figures],
    lost: [...growing.lost, ...expiring.lost],
  }
}

/**
 * Decisions per second as the state grows, 2 % of them repetitions of any event that it holds: reading, deciding and
 * committing a batch are one figure, for what a store does in the background has to keep up with all of it. Sizes grow.
 */
async function measureDeduplication(path: string, sizes: readonly number[]): Promise<Measured> {
  const figures: Figure[] = []
  const lost: string[] = []
  await withLanes(path, { keptMicros: horizonMicros, stepMicros: 10 }, async (lanes) => {
    let smallest: number | undefined
    for (const size of sizes) {
      while (metBy(lanes) < size) await runAll(lanes, 0)
      const asked = useOf(lanes)
      const { rates, cpuMicros } = await measureRates(lanes, everything, lost)
      const after = useOf(lanes)
      smallest ??= medianOf(rates)
      const name = `deduplication_${size / 1_000_000}m`
      const share = (100 * (after.askedStore - asked.askedStore)) / (after.asked - asked.asked)
      figures.push(
        figureOf(name, 'decisions/s', rates, { limit: smallest }),
        figureOf(`${name}_cpu`, 'µs/decision', cpuMicros),
        figureOf(`${name}_asked`, '% asked of disk', [share]),
        figureOf(`${name}_disk`, 'MB', [(await bytesIn(path)) / 1e6]),
        figureOf(`${name}_filter`, 'MB', [after.filterBytes / 1e6]),
        figureOf(`${name}_memory`, 'MB RSS', [process.memoryUsage().rss / 1e6]),
      )
      finish('✔', `${thousands(size)} identities: ${thousands(Math.round(medianOf(rates)))} decisions/s`)
    }
  })
  return { figures, lost }
}

/** Decisions and disk while claims expire as fast as they come: the state keeps so many, of which later ones take the place. */
async function measureExpiry(path: string, kept: number): Promise<Measured> {
  const stepMicros = 1_000
  const keptMicros = (kept / partitions) * stepMicros
  const figures: Figure[] = []
  const lost: string[] = []
  await withLanes(path, { keptMicros, stepMicros }, async (lanes) => {
    let full: number | undefined
    for (const turn of [1, 2, 3, 4]) {
      while (metBy(lanes) < turn * kept) await runAll(lanes, 0)
      const { rates, cpuMicros } = await measureRates(lanes, batchRows, lost)
      full ??= medianOf(rates)
      figures.push(
        figureOf(`expiry_${turn}x`, 'decisions/s', rates, { limit: full }),
        figureOf(`expiry_${turn}x_cpu`, 'µs/decision', cpuMicros),
        figureOf(`expiry_${turn}x_disk`, 'MB', [(await bytesIn(path)) / 1e6]),
      )
      const expired = lanes.reduce((sum, { state }) => sum + state.use().expired, 0)
      finish('✔', `${turn} times what is kept: ${thousands(expired)} claims expired`)
    }
  })
  return { figures, lost }
}

async function withLanes(
  directory: string,
  times: { keptMicros: number; stepMicros: number },
  work: (lanes: readonly StateLane[]) => Promise<void>,
): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  const lanes = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => openLane({ directory, partition, ...times })),
  )
  try {
    await work(lanes)
  } finally {
    for (const { state } of lanes) await state.close()
    await rm(directory, { recursive: true, force: true })
  }
}

const runAll = (lanes: readonly StateLane[], repeated: number): Promise<number[]> =>
  Promise.all(lanes.map((lane) => lane.run(lane.batch(batchRows, repeated))))

/** Making the events is not measured. */
async function measureRates(
  lanes: readonly StateLane[],
  repeated: number,
  lost: string[],
): Promise<{ rates: number[]; cpuMicros: number[] }> {
  const rates: number[] = []
  const cpuMicros: number[] = []
  for (let round = 0; round < measuredBatches; round += 1) {
    const batches = lanes.map((lane) => lane.batch(batchRows, repeated))
    const startedAt = performance.now()
    const before = process.cpuUsage()
    const found = await Promise.all(lanes.map((lane, at) => lane.run(batches[at] ?? [])))
    rates.push((partitions * batchRows * 1000) / (performance.now() - startedAt))
    // All threads: what the store does in the background counts too.
    const { user, system } = process.cpuUsage(before)
    cpuMicros.push((user + system) / (partitions * batchRows))
    for (const duplicates of found)
      if (duplicates !== batchRows / duplicateEvery)
        lost.push(`${duplicates} duplicates were found in a batch`)
  }
  return { rates, cpuMicros }
}

const metBy = (lanes: readonly StateLane[]): number => lanes.reduce((sum, lane) => sum + lane.met(), 0)

function useOf(lanes: readonly StateLane[]): { asked: number; askedStore: number; filterBytes: number } {
  const total = { asked: 0, askedStore: 0, filterBytes: 0 }
  for (const { state } of lanes) {
    const use = state.use()
    total.asked += use.asked
    total.askedStore += use.askedStore
    total.filterBytes += use.filterBytes
  }
  return total
}

async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  // The store may remove a file meanwhile.
  const sizes = files.map((file) =>
    stat(join(file.parentPath, file.name)).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
