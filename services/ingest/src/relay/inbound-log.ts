import type { OffsetRange } from '@tidemark/infra/kafka/topics.ts'
import type { StoppedPartition } from '../ingest-metrics.ts'
import type { Offsets } from './relay-watermark.ts'

export type InboundLogs = {
  readonly ends: Offsets
  readonly relayed: Offsets
  /** Left out of both: what they hold is not relayed before an operator has looked. */
  readonly stopped: readonly StoppedPartition[]
}

type Ranges = ReadonlyMap<string, ReadonlyMap<number, OffsetRange>>

/**
 * Holds what is relayed against the logs, by topic and partition. `done` must have been asked for before `ranges`: then it
 * lies beyond an end only where the log is another one.
 */
export function holdAgainstLogs(ranges: Ranges, done: Offsets): InboundLogs {
  const ends = new Map<string, Map<number, bigint>>()
  const relayed = new Map<string, Map<number, bigint>>()
  const stopped: StoppedPartition[] = []
  for (const [topic, partitions] of ranges) {
    const endsOfTopic = new Map<number, bigint>()
    const relayedOfTopic = new Map<number, bigint>()
    for (const [partition, { earliest, end }] of partitions) {
      const next = done.get(topic)?.get(partition) ?? 0n
      if (next < earliest) stopped.push({ topic, partition, code: 'log_truncated' })
      else if (next > end) stopped.push({ topic, partition, code: 'log_rewound' })
      else {
        endsOfTopic.set(partition, end)
        relayedOfTopic.set(partition, next)
      }
    }
    ends.set(topic, endsOfTopic)
    relayed.set(topic, relayedOfTopic)
  }
  return { ends, relayed, stopped }
}

export const sumOf = (offsets: Offsets): bigint =>
  [...offsets.values()].flatMap((partitions) => [...partitions.values()]).reduce((a, b) => a + b, 0n)
