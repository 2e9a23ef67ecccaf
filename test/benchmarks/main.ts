import { heading, line, seconds, table } from '../demonstration/print.ts'
import { runInterruptible } from '../interruptible.ts'
import { aggregateParts, measureAggregate } from './aggregate/aggregate.ts'
import { measureDeduplicationAlone } from './aggregate/deduplication.ts'
import { type BenchStack, startBenchStack } from './bench-stack.ts'
import { measureCatalogue } from './catalogue/catalogue.ts'
import type { Figure, Measured } from './figure.ts'
import { ingestParts, measureIngest } from './ingest/ingest.ts'
import { describeMachine } from './machine.ts'
import { measurePath } from './path.ts'
import { measurePricing } from './pricing/pricing.ts'
import { measureQuery } from './query/query.ts'

type Benchmark =
  | {
      about: string
      /** What may be measured alone. */
      parts?: readonly string[]
      measure(bench: BenchStack, parts: readonly string[]): Promise<Measured>
    }
  /** Of pure functions: no servers are started. */
  | { about: string; compute(): Promise<Measured> }

const benchmarks: Readonly<Record<string, Benchmark>> = {
  aggregate: {
    about:
      'the aggregator: draining a backlog with one process and two, how soon an event is seen, reading the ledger (8 min)',
    parts: aggregateParts,
    measure: measureAggregate,
  },
  deduplication: {
    about:
      'decisions over a state of 1 and of 10 million identities, and while they expire; no servers (4 min)',
    compute: () => measureDeduplicationAlone([1_000_000, 10_000_000]),
  },
  'deduplication-large': {
    about: 'the same over 100 million: 8 GB of disk (a quarter of an hour or more)',
    compute: () => measureDeduplicationAlone([1_000_000, 10_000_000, 100_000_000]),
  },
  catalogue: {
    about:
      'the invoicer’s requests at 200 per second with 100,000 customers: catalogue, subscriptions, previews (2 to 3 min)',
    measure: measureCatalogue,
  },
  ingest: {
    about: 'the front door: rates, latencies, relay, memory, with all that guards it (6 to 7 min)',
    parts: ingestParts,
    measure: measureIngest,
  },
  query: {
    about: 'usage queries and sealing over a month of 1 and of 10 million events (2 to 3 min)',
    measure: (bench) => measureQuery(bench, [1_000_000, 10_000_000]),
  },
  'query-large': {
    about: 'the same over 100 million events: 8 GB of disk, twice that while parts merge (20 min)',
    measure: (bench) => measureQuery(bench, [100_000_000]),
  },
  path: {
    about: 'HTTP to Kafka, Kafka to ClickHouse, memory of the idle stack (3 to 4 min)',
    measure: measurePath,
  },
  pricing: {
    about: 'lines per second and core for each price model; no servers (under a minute)',
    compute: measurePricing,
  },
}

let running: BenchStack | undefined

async function main([name, ...parts]: string[]): Promise<number> {
  const benchmark = name !== undefined && Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined
  const unknown = parts.filter((part) => !partsOf(benchmark).includes(part))
  if (name === undefined || benchmark === undefined || unknown.length > 0) {
    if (name !== undefined) line(`Unknown benchmark "${[name, ...parts].join(' ')}".`)
    line(
      'npm run bench -- <name> [part…] measures against real servers and prints, last, one JSON line. Names:',
    )
    for (const [each, entry] of Object.entries(benchmarks)) {
      line(`  ${each}  ${entry.about}`)
      if (partsOf(entry).length > 0) line(`    parts: ${partsOf(entry).join(', ')}`)
    }
    return name === undefined ? 0 : 2
  }
  const startedAt = performance.now()
  const machine = await describeMachine()
  const { figures, lost } = await measured(benchmark, parts)
  heading(`Figures (${seconds(performance.now() - startedAt)})`)
  table([
    ['figure', 'median', 'min', 'max', 'limit', 'ratio', 'p50 ms', 'p99 ms', 'unit'],
    ...figures.map(rowOf),
  ])
  for (const each of lost) line(`  ✘ ${each}`)
  line(JSON.stringify({ bench: name, machine, figures }))
  return lost.length === 0 ? 0 : 1
}

const partsOf = (benchmark: Benchmark | undefined): readonly string[] =>
  benchmark !== undefined && 'parts' in benchmark ? (benchmark.parts ?? []) : []

async function measured(benchmark: Benchmark, parts: readonly string[]): Promise<Measured> {
  if ('compute' in benchmark) return benchmark.compute()
  heading('Servers')
  running = await startBenchStack()
  const found = await benchmark.measure(running, parts)
  await stop()
  return found
}

const rowOf = ({ name, unit, ...rest }: Figure): string[] => {
  const numbers = [rest.median, rest.min, rest.max, rest.limit, rest.ratio, rest.p50Ms, rest.p99Ms]
  return [name, ...numbers.map((number) => number?.toLocaleString('en-US') ?? ''), unit]
}

async function stop(): Promise<void> {
  const bench = running
  running = undefined
  await bench?.stop()
}

await runInterruptible(() => main(process.argv.slice(2)), stop)
