import { setTimeout as pause } from 'node:timers/promises'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { OffsetRange } from '@tidemark/infra/kafka/topics.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { createRelayProgress, type Offsets, type RelayWatermark } from './relay-watermark.ts'

export type RelayWatermarkOptions = {
  clickHouse: ClickHouse
  clock: Clock
  log: Log
  prefix: string
  intervalMs: number
  topics(): readonly string[]
  fetchOffsetRanges(topic: string): Promise<ReadonlyMap<number, OffsetRange>>
  /** Below it everything is acknowledged on usage.events or usage.rejected, whichever relay did it. */
  fetchRelayed(topics: readonly string[]): Promise<Offsets>
  onLag(records: number): void
}

export type RelayWatermarks = Component & {
  /** What does not move although records wait. */
  fault(): string | undefined
}

/** The log that inbound offsets belong to; a topic made anew gets the next one. */
const inboundLog = 1
const stallMs = 60_000

/** Says how far the relay has come, for closes to wait for. A watermark that stands still only delays them. */
export function createRelayWatermarks(options: RelayWatermarkOptions): RelayWatermarks {
  const progress = createRelayProgress()
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()
  const lost = new Set<string>()
  let moved = { relayed: -1n, atMs: performance.now(), lag: 0n }

  const noteLag = (ends: Offsets, relayed: Offsets): void => {
    const total = sum(relayed)
    const lag = sum(ends) - total
    if (lag <= 0n || total !== moved.relayed) moved = { relayed: total, atMs: performance.now(), lag }
    options.onLag(Number(lag))
  }

  const advance = async (): Promise<void> => {
    const topics = options.topics()
    const at = options.clock.nowMicros()
    const ranges = new Map<string, ReadonlyMap<number, OffsetRange>>()
    for (const topic of topics) ranges.set(topic, await options.fetchOffsetRanges(topic))
    const ends = mapOffsets(ranges, ({ end }) => end)
    progress.observe(at, ends)
    const done = await options.fetchRelayed(topics)
    const relayed = mapOffsets(ranges, ({ earliest }, topic, partition) => {
      const next = done.get(topic)?.get(partition) ?? 0n
      if (next < earliest) tellLost(`${topic}/${partition}`, earliest - next)
      // What retention has removed will never be relayed: waiting for it would hold up every close.
      return next < earliest ? earliest : next
    })
    const reached = progress.advance(relayed, options.clock.nowMicros())
    noteLag(ends, relayed)
    if (reached.length > 0) await options.clickHouse.insert('usage_watermarks', reached.map(toRow))
  }

  const tellLost = (place: string, records: bigint): void => {
    if (lost.has(place)) return
    lost.add(place)
    options.log.error(
      { place, records: Number(records) },
      'retention removed records before they were relayed',
    )
  }

  const toRow = ({ topic, partition, nextOffset, completeUntil, relayedBefore }: RelayWatermark) => ({
    topic: topic.slice(options.prefix.length),
    log: inboundLog,
    partition,
    next_offset: nextOffset,
    complete_until: formatInstant(completeUntil),
    relayed_before: formatInstant(relayedBefore),
  })

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await advance().catch((error: unknown) => {
        const { code, message } = asFailure(error)
        options.log.warn({ code, reason: message }, 'watermarks of the relay could not be advanced')
      })
      await pause(options.intervalMs, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }

  return {
    name: 'relay watermarks',
    fault: () =>
      moved.lag > 0n && performance.now() - moved.atMs > stallMs
        ? `${moved.lag} records wait on inbound topics and none was relayed for ${stallMs / 1000} s`
        : undefined,
    start() {
      running = run()
    },
    async stop() {
      stopped.abort()
      await running
    },
  }
}

const sum = (offsets: Offsets): bigint =>
  [...offsets.values()].flatMap((partitions) => [...partitions.values()]).reduce((a, b) => a + b, 0n)

function mapOffsets(
  ranges: ReadonlyMap<string, ReadonlyMap<number, OffsetRange>>,
  pick: (range: OffsetRange, topic: string, partition: number) => bigint,
): Map<string, Map<number, bigint>> {
  return new Map(
    [...ranges].map(([topic, partitions]) => [
      topic,
      new Map([...partitions].map(([partition, range]) => [partition, pick(range, topic, partition)])),
    ]),
  )
}
