import { finish } from '../../demonstration/print.ts'
import type { BenchStack } from '../bench-stack.ts'
import { type Figure, figureOf, type Measured } from '../figure.ts'
import { openIngestRoom, type RoomOptions } from './ingest-room.ts'

export type LatencyOptions = RoomOptions & {
  /** Precedes the figures' names; what may work beside ingest is in it. */
  name: string
  /** Single events per second, and the p99 that is allowed at that rate, in milliseconds. */
  rates: readonly { rate: number; p99LimitMs: number }[]
}

const rounds = 3
/** A service that has just started is compiled while it works: the first seconds at such rates are of no one's day. */
const timing = { warmUpMs: 5_000, durationMs: 5_000, connections: 64 }

/** Time from an event's due moment to its acknowledgement, at fixed rates; the samples are the p99 of each round. */
export async function measureLatency(
  bench: BenchStack,
  { name, rates, ...options }: LatencyOptions,
): Promise<Measured> {
  const room = await openIngestRoom(bench, name.replaceAll('_', ''), options)
  const figures: Figure[] = []
  for (const { rate, p99LimitMs } of rates) {
    const all: number[] = []
    const p99s: number[] = []
    for (let round = 1; round <= rounds; round += 1) {
      const run = `paced-${rate}-${round}`
      const { latenciesMicros } = await room.load({ ...timing, rate, run })
      all.push(...latenciesMicros)
      p99s.push(p99Ms(latenciesMicros))
      finish('✔', `${name}_${rate} ${round}/${rounds}: p99 ${p99s.at(-1)?.toFixed(1)} ms`)
    }
    figures.push(figureOf(`${name}_${rate}`, 'ms p99', p99s, { limit: p99LimitMs, latenciesMicros: all }))
  }
  return { figures, lost: await room.close() }
}

function p99Ms(latenciesMicros: readonly number[]): number {
  const sorted = Float64Array.from(latenciesMicros).sort()
  return (sorted[Math.floor(sorted.length * 0.99)] ?? 0) / 1000
}
