import { heading } from '../../demonstration/print.ts'
import type { BenchStack } from '../bench-stack.ts'
import { measureDrain } from '../drain.ts'
import type { Measured } from '../figure.ts'
import { measureFreshness } from './freshness.ts'

const records = 2_000_000

const parts: readonly { title: string; measure(bench: BenchStack): Promise<Measured> }[] = [
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
export async function measureAggregate(bench: BenchStack): Promise<Measured> {
  const measured: Measured[] = []
  for (const { title, measure } of parts) {
    heading(title)
    measured.push(await measure(bench))
  }
  return {
    figures: measured.flatMap(({ figures }) => figures),
    lost: measured.flatMap(({ lost }) => lost),
  }
}
