import type { BenchStack } from '../bench-stack.ts'
import { measureDrain } from '../drain.ts'
import type { Measured } from '../figure.ts'
import { measureParts, type Part } from '../parts.ts'
import { measureFreshness } from './freshness.ts'

const records = 2_000_000

const parts: readonly Part[] = [
  { title: 'Drain', measure: (bench) => measureDrain(bench, { records }) },
  { title: 'Drain by two processes', measure: (bench) => measureDrain(bench, { records, processes: 2 }) },
  {
    title: 'Freshness at rest',
    measure: (bench) => measureFreshness(bench, { background: 200, p99LimitMs: 1_000 }),
  },
  {
    title: 'Freshness under load',
    measure: (bench) => measureFreshness(bench, { background: 20_000, p99LimitMs: 2_000 }),
  },
]

/** What the aggregator promises in numbers: how fast a backlog goes in, and how soon an event is seen. */
export const measureAggregate = (bench: BenchStack): Promise<Measured> => measureParts(bench, parts)
