import type { BenchStack } from '../bench-stack.ts'
import { measureDrain } from '../drain.ts'
import type { Measured } from '../figure.ts'
import { measureParts, type Part } from '../parts.ts'
import { measureFreshness } from './freshness.ts'
import { measureLedgerReading } from './ledger-reading.ts'

const records = 2_000_000

const parts: Readonly<Record<string, Part>> = {
  drain: { title: 'Drain', measure: (bench) => measureDrain(bench, { records }) },
  drain_2_processes: {
    title: 'Drain by two processes',
    measure: (bench) => measureDrain(bench, { records, processes: 2 }),
  },
  freshness_200: {
    title: 'Freshness at rest',
    measure: (bench) => measureFreshness(bench, { background: 200, p99LimitMs: 1_000 }),
  },
  freshness_20000: {
    title: 'Freshness under load',
    measure: (bench) => measureFreshness(bench, { background: 20_000, p99LimitMs: 2_000 }),
  },
  ledger: { title: 'Reading the ledger', measure: measureLedgerReading },
}

export const aggregateParts = Object.keys(parts)

/** What the aggregator promises in numbers, or only the parts that are named. */
export const measureAggregate = (bench: BenchStack, names: readonly string[]): Promise<Measured> =>
  measureParts(
    bench,
    Object.entries(parts).flatMap(([name, part]) =>
      names.length === 0 || names.includes(name) ? [part] : [],
    ),
  )
