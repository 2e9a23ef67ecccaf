import type { Micros1970 } from '@tidemark/schemas/instant.ts'

export type Place = { readonly topic: string; readonly partition: number }

/** All that was acknowledged on the inbound partition before `completeUntil` is on usage.events before `relayedBefore`. */
export type RelayWatermark = Place & {
  readonly nextOffset: bigint
  readonly completeUntil: Micros1970
  readonly relayedBefore: Micros1970
}

/** Offsets of partitions: the end of each (of the log, or of what is relayed), by topic. */
export type Offsets = ReadonlyMap<string, ReadonlyMap<number, bigint>>

export type RelayProgress = {
  /** `at` was taken before the broker was asked for `ends`. */
  observe(at: Micros1970, ends: Offsets): void
  /** What is reached now that everything below `relayed` is acknowledged; `now` is taken after that was known. */
  advance(relayed: Offsets, now: Micros1970): RelayWatermark[]
}

/**
 * One instant waits per partition: an end of the inbound log and the instant before which everything lies below it. When
 * the relay has reached that end the instant counts, and the next one is taken.
 */
export function createRelayProgress(): RelayProgress {
  const waiting = new Map<string, Place & { at: Micros1970; end: bigint }>()
  return {
    observe(at, ends) {
      for (const [topic, partitions] of ends)
        for (const [partition, end] of partitions) {
          const name = `${topic}/${partition}`
          if (!waiting.has(name)) waiting.set(name, { topic, partition, at, end })
        }
    },
    advance(relayed, now) {
      const reached: RelayWatermark[] = []
      for (const [name, { topic, partition, at, end }] of waiting) {
        const nextOffset = relayed.get(topic)?.get(partition) ?? 0n
        if (nextOffset < end) continue
        waiting.delete(name)
        reached.push({ topic, partition, nextOffset, completeUntil: at, relayedBefore: now })
      }
      return reached
    },
  }
}
