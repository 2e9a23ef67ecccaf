import { setTimeout as pause } from 'node:timers/promises'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { OffsetRange } from '@tidemark/infra/kafka/topics.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { StoppedPartition } from '../ingest-metrics.ts'
import { holdAgainstLogs, sumOf } from './inbound-log.ts'
import { createRelayProgress, type Offsets, type RelayWatermark } from './relay-watermark.ts'

export type RelayWatermarkOptions = {
  clickHouse: ClickHouse
  clock: Clock
  log: Log
  prefix: string
  intervalMs: number
  topics(): readonly string[]
  /** Topics of tenants that do not exist (any more). */
  missingTopics(): readonly string[]
  fetchOffsetRanges(topic: string): Promise<ReadonlyMap<number, OffsetRange>>
  /** Below it everything is acknowledged on usage.events or usage.rejected, whichever relay did it. */
  fetchRelayed(topics: readonly string[]): Promise<Offsets>
  onLag(records: number): void
  onStopped(partitions: readonly StoppedPartition[]): void
  onStalled(isStalled: boolean): void
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
  const ending = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let stopped: readonly StoppedPartition[] = []
  let moved = { relayed: -1n, atMs: performance.now(), lag: 0n }

  const noteLag = (ends: Offsets, relayed: Offsets): void => {
    const total = sumOf(relayed)
    const lag = sumOf(ends) - total
    if (lag <= 0n || total !== moved.relayed) moved = { relayed: total, atMs: performance.now(), lag }
    options.onLag(Number(lag))
    options.onStalled(isStalled())
  }

  const isStalled = (): boolean => moved.lag > 0n && performance.now() - moved.atMs > stallMs

  const advance = async (): Promise<void> => {
    const topics = options.topics()
    const done = await options.fetchRelayed(topics)
    const at = options.clock.nowMicros()
    const ranges = new Map<string, ReadonlyMap<number, OffsetRange>>()
    for (const topic of topics) ranges.set(topic, await options.fetchOffsetRanges(topic))
    // A log that lost its place waits for an operator, and so does every close: usage may be missing.
    const logs = holdAgainstLogs(ranges, done)
    stopped = [
      ...logs.stopped,
      ...options.missingTopics().map((topic) => ({ topic, partition: -1, code: 'topic_missing' })),
    ]
    options.onStopped(stopped)
    progress.observe(at, logs.ends)
    const reached = progress.advance(logs.relayed, options.clock.nowMicros())
    noteLag(logs.ends, logs.relayed)
    if (reached.length > 0) await options.clickHouse.insert('usage_watermarks', reached.map(toRow))
  }

  const stallFault = (): string | undefined =>
    isStalled()
      ? `${moved.lag} records wait on inbound topics and none was relayed for ${stallMs / 1000} s`
      : undefined

  const stopFault = (): string | undefined => {
    const named = stopped.slice(0, 5).map(({ topic, partition, code }) => `${topic}/${partition} ${code}`)
    return named.length === 0 ? undefined : `${stopped.length} do not go on: ${named.join(', ')}`
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
    while (!ending.signal.aborted) {
      await advance().catch((error: unknown) => {
        const { code, message } = asFailure(error)
        options.log.warn({ code, reason: message }, 'watermarks of the relay could not be advanced')
      })
      await pause(options.intervalMs, undefined, { signal: ending.signal }).catch(() => {})
    }
  }

  return {
    name: 'relay watermarks',
    fault: () => stallFault() ?? stopFault(),
    start() {
      running = run()
    },
    async stop() {
      ending.abort()
      await running
    },
  }
}
