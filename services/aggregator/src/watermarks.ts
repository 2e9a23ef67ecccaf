import { setTimeout as pause } from 'node:timers/promises'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'

export type WatermarkOptions = {
  clickHouse: ClickHouse
  clock: Clock
  logger: Log
  log: number
  fetchEndOffsets(): Promise<ReadonlyMap<number, bigint>>
  /** Partitions of this process, with the offset below which the ledger has everything. */
  processed(): ReadonlyMap<number, bigint>
  intervalMs: number
}

export type WatermarkWriter = Component & {
  /** Lets the next watermarks follow at once: something has been processed that somebody may wait for. */
  hurry(): void
}

/** Everything acknowledged before `at` lies below `end`. */
export type Horizon = { readonly at: number; readonly end: bigint }

type Watermark = { partition: number; nextOffset: bigint; completeUntil: number }

// While a partition lags, one horizon per interval waits to be reached; beyond this the middle ones are dropped.
const mostPending = 64

/** Between two inserts, however often somebody is in a hurry: batches of other partitions end at about the same time. */
const leastPauseMs = 60

/** Rows of the table name the topic without prefix and log, which have their own columns. */
const topic = 'usage.events'

/**
 * Says how far each partition is complete. The instant is taken before the broker is asked for the end, so that whatever
 * was acknowledged before the instant lies below that end; once all of that is in the ledger, the instant counts.
 */
export function createWatermarks(options: WatermarkOptions): WatermarkWriter {
  const pending = new Map<number, Horizon[]>()
  let hurried = Promise.withResolvers<void>()
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const advance = async (): Promise<void> => {
    const at = options.clock.nowMicros()
    const ends = await options.fetchEndOffsets()
    const watermarks: Watermark[] = []
    for (const [partition, nextOffset] of options.processed()) {
      const end = ends.get(partition)
      const horizons = pending.get(partition) ?? []
      if (end !== undefined) horizons.push({ at, end })
      const { reached, waiting } = reach(horizons, nextOffset)
      pending.set(partition, waiting)
      watermarks.push({ partition, nextOffset, completeUntil: reached?.at ?? 0 })
    }
    await insert(watermarks)
  }

  // One insert for all partitions. A row with an older instant takes nothing back: the maximum of each column is read.
  const insert = (watermarks: readonly Watermark[]): Promise<void> =>
    options.clickHouse.insert(
      'usage_watermarks',
      watermarks.map(({ partition, nextOffset, completeUntil }) => ({
        topic,
        log: options.log,
        partition,
        next_offset: nextOffset,
        complete_until: formatInstant(completeUntil),
        relayed_before: formatInstant(0),
      })),
    )

  const wait = (ms: number): Promise<void> => pause(ms, undefined, { signal: stopped.signal }).catch(() => {})

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      // Before anything is read: what is processed from here on is in a hurry again.
      hurried = Promise.withResolvers()
      await advance().catch((error: unknown) => {
        // A watermark that stands still only delays; whether the servers answer is judged where events are written.
        const { code, message } = asFailure(error)
        options.logger.warn({ code, reason: message }, 'watermarks could not be advanced')
      })
      await wait(leastPauseMs)
      await Promise.race([wait(options.intervalMs - leastPauseMs), hurried.promise])
    }
  }

  return {
    name: 'watermarks',
    hurry: () => hurried.resolve(),
    start() {
      running = run()
    },
    async stop() {
      stopped.abort()
      await running
      // What was processed since is worth one more row: whoever takes over starts slower than this.
      await advance().catch(() => {})
    },
  }
}

/** The latest horizon that `nextOffset` has reached, and those still ahead of it. */
export function reach(
  horizons: readonly Horizon[],
  nextOffset: bigint,
): { reached: Horizon | undefined; waiting: Horizon[] } {
  const reached = horizons.findLast(({ end }) => end <= nextOffset)
  const waiting = horizons.filter(({ end }) => end > nextOffset)
  // The oldest is reached first; the newest says most.
  if (waiting.length > mostPending) waiting.splice(mostPending / 2, 1)
  return { reached, waiting }
}
