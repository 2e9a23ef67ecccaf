import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { oneThread } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { type Cut, type CutEntry, sortedCut } from '@tidemark/schemas/cut.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { inboundTopic } from '@tidemark/schemas/topics.ts'

export type PartitionWatermark = CutEntry & { readonly completeUntil: Micros1970 }

/** All of an inbound partition before `completeUntil` was acknowledged on usage.events before `relayedBefore`. */
export type RelayWatermark = {
  readonly topic: string
  readonly partition: number
  readonly completeUntil: Micros1970
  readonly relayedBefore: Micros1970
}

export type Watermarks = {
  /** What has been processed: the only origin of cuts. */
  readonly cut: Cut
  /** Partitions of the current log, each of them: one without a row is complete until 1970. */
  readonly partitions: readonly PartitionWatermark[]
  readonly relays: readonly RelayWatermark[]
}

export type UsageLog = { readonly log: number; readonly partitions: number }

/** The aggregator's own rows; the number of the log is a column of its own. */
const usageEvents = /^usage\.events(\.\d+)?$/

type Row = {
  topic: string
  log: number
  partition: number
  nextOffset: string
  completeUntil: string
  relayedBefore: string
}

/** The watermarks as they are now; each maximum is true on its own (docs/decisions/0007). */
export async function readWatermarks(clickHouse: ClickHouse, current: UsageLog): Promise<Watermarks> {
  const rows = await clickHouse.query<Row>(
    `SELECT topic, log, partition, toString(max(next_offset)) AS nextOffset,
       toString(toUnixTimestamp64Micro(max(complete_until))) AS completeUntil,
       toString(toUnixTimestamp64Micro(max(relayed_before))) AS relayedBefore
     FROM usage_watermarks GROUP BY topic, log, partition ${oneThread}`,
  )
  const processed = rows.filter(({ topic }) => usageEvents.test(topic)).map(watermarkOf)
  return {
    cut: sortedCut(processed.map(({ log, partition, offset }) => ({ log, partition, offset }))),
    partitions: Array.from(
      { length: current.partitions },
      (_, partition) =>
        processed.find((found) => found.log === current.log && found.partition === partition) ?? {
          log: current.log,
          partition,
          offset: 0n,
          completeUntil: 0,
        },
    ),
    relays: rows.filter(({ topic }) => topic.startsWith(inboundTopic(''))).map(relayOf),
  }
}

const watermarkOf = ({ log, partition, nextOffset, completeUntil }: Row): PartitionWatermark => ({
  log,
  partition,
  offset: BigInt(nextOffset),
  completeUntil: Number(completeUntil),
})

const relayOf = ({ topic, partition, completeUntil, relayedBefore }: Row): RelayWatermark => ({
  topic,
  partition,
  completeUntil: Number(completeUntil),
  relayedBefore: Number(relayedBefore),
})

/** Everything acknowledged on usage.events before this instant is in. */
export const processedUntil = ({ partitions }: Watermarks): Micros1970 =>
  Math.min(...partitions.map(({ completeUntil }) => completeUntil))
