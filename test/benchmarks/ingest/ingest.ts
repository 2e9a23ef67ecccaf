import type { BenchStack } from '../bench-stack.ts'
import type { Measured } from '../figure.ts'
import { measureParts, type Part } from '../parts.ts'
import { measureLatency } from './http-latency.ts'
import { batch100, batch1000, measureRates, measureRatesWith, single } from './http-rates.ts'
import { measureKafkaStopped } from './kafka-stopped.ts'
import { measureRelay } from './relay-rate.ts'

const shapes = [single, batch100, batch1000]

const parts: Readonly<Record<string, Part>> = {
  rates: { title: 'HTTP, with keys, validation and limits', measure: (bench) => measureRates(bench, shapes) },
  memory: {
    title: 'The same, with Redis remembering acknowledged ids',
    measure: (bench) => measureRatesWith(bench, shapes, { suffix: 'memory', withMemory: true }),
  },
  pipeline: {
    title: 'The same, with the aggregator draining into ClickHouse',
    measure: (bench) => measureRatesWith(bench, shapes, { suffix: 'pipeline', withAggregator: true }),
  },
  latency: {
    title: 'Latency at fixed rates',
    measure: (bench) =>
      measureLatency(bench, {
        name: 'latency',
        rates: [
          { rate: 500, p99LimitMs: 5 },
          { rate: 2_000, p99LimitMs: 8 },
        ],
      }),
  },
  latency_pipeline: {
    title: 'Latency with the aggregator draining',
    measure: (bench) =>
      measureLatency(bench, {
        name: 'latency_pipeline',
        rates: [{ rate: 2_000, p99LimitMs: 15 }],
        withAggregator: true,
      }),
  },
  relay: { title: 'Relay', measure: measureRelay },
  kafka_stopped: { title: 'Kafka stopped under load', measure: measureKafkaStopped },
}

export const ingestParts = Object.keys(parts)

/** All that the front door promises in numbers, or only the parts that are named. */
export const measureIngest = (bench: BenchStack, names: readonly string[]): Promise<Measured> =>
  measureParts(
    bench,
    Object.entries(parts).flatMap(([name, part]) =>
      names.length === 0 || names.includes(name) ? [part] : [],
    ),
  )
