import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import { assertWithinLog } from './offset-check.ts'
import { fetchOffsetRanges } from './topics.ts'

type Watched = { expected: bigint; progressedAtMs: number }

export type WatchdogOptions = {
  topic: string
  stallTimeoutMs: number
  /** The partitions open at the moment; `progressedAtMs` is on performance.now()'s scale. */
  partitions(): Iterable<[number, Watched]>
  onFatal(error: unknown): void
}

function consumerStalled(topic: string, partition: number, lag: bigint, stalledMs: number): Failure {
  const seconds = Math.round(stalledMs / 1_000)
  const text = `${topic}/${partition}: ${lag} records wait and none was handled for ${seconds} s; start the process again`
  return new Failure(text, { code: 'consumer_stalled', retryable: false })
}

/**
 * Asks the broker now and then how far the log reaches. It finds what no batch can tell: a consumer that fetches no more,
 * and a log that was emptied or made anew underneath it. While the broker does not answer, nothing counts as a stall.
 */
export function startWatchdog(kafka: KafkaClient, options: WatchdogOptions): { stop(): void } {
  const intervalMs = Math.min(options.stallTimeoutMs / 4, 15_000)
  let checking = false

  const check = async (): Promise<void> => {
    const before = [...options.partitions()].map(([partition, state]) => ({
      partition,
      state,
      from: state.expected,
    }))
    if (before.length === 0) return
    const ranges = await fetchOffsetRanges(kafka, options.topic).catch(() => undefined)
    const now = performance.now()
    for (const { partition, state, from } of before) {
      const range = ranges?.get(partition)
      if (range === undefined || range.end === from) {
        state.progressedAtMs = now
        continue
      }
      // The end may have moved past `from` meanwhile, never the reverse; the start is judged by where we are now.
      const place = { topic: options.topic, partition }
      assertWithinLog(place, from, { earliest: 0n, end: range.end })
      assertWithinLog(place, state.expected, { earliest: range.earliest, end: state.expected })
      const stalledMs = now - state.progressedAtMs
      if (stalledMs > options.stallTimeoutMs) {
        throw consumerStalled(options.topic, partition, range.end - state.expected, stalledMs)
      }
    }
  }

  const timer = setInterval(() => {
    if (checking) return
    checking = true
    check()
      .catch(options.onFatal)
      .finally(() => {
        checking = false
      })
  }, intervalMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
