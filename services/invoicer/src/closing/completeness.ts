import { type Cut, sortedCut } from '@tidemark/schemas/cut.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { firstLog, inboundTopic, inboundTopicSpec, type UsageLog } from '@tidemark/schemas/topics.ts'

/** The topic under which the aggregator writes the watermarks of usage.events, whatever the log. */
export const eventsTopic = 'usage.events'

export type Watermark = {
  readonly topic: string
  readonly log: number
  readonly partition: number
  readonly nextOffset: bigint
  readonly completeUntil: Micros1970
  readonly relayedBefore: Micros1970
}

export type Completeness = {
  /** Everything acknowledged before this instant is processed; -Infinity when that is not known yet. */
  readonly completeUntil: Micros1970
  /** Which partition or relay holds it there, for people. */
  readonly behind: string
  /** Where every partition stands now. */
  readonly cut: Cut
}

/**
 * What a tenant's watermarks prove. A relay's row (T, U) says that all it had before T stood on usage.events before U: it
 * counts once every partition there has reached U. A missing row means: not yet.
 * @param usageLog the log in use; those before it are closed and have been read to their end
 * @param sightings relay rows seen so far, because a steady relay's newest one is always a moment ahead
 */
export function completenessOf(
  tenant: string,
  events: readonly Watermark[],
  sightings: readonly Watermark[],
  usageLog: UsageLog = firstLog,
): Completeness {
  const cut = sortedCut(
    events.map(({ log, partition, nextOffset }) => ({ log, partition, offset: nextOffset })),
  )
  const partitions = Array.from({ length: usageLog.partitions }, (_, partition) =>
    eventsLimit(events, usageLog.log, partition),
  )
  const reached = leastOf(partitions)
  const relays = Array.from({ length: inboundTopicSpec(tenant).partitions }, (_, partition) =>
    relayLimit(
      inboundTopic(tenant),
      sightings.filter((row) => row.partition === partition),
      partition,
      reached,
    ),
  )
  const least = leastOf([...partitions, ...relays])
  return { completeUntil: least.until, behind: least.reason, cut }
}

type Limit = { until: Micros1970; reason: string }

const leastOf = (limits: readonly Limit[]): Limit =>
  limits.reduce((a, b) => (b.until < a.until ? b : a), { until: Infinity, reason: '' })

function eventsLimit(events: readonly Watermark[], log: number, partition: number): Limit {
  const row = events.find((each) => each.log === log && each.partition === partition)
  const name = `${eventsTopic} log ${log} partition ${partition}`
  if (!row) return { until: -Infinity, reason: `${name} has no watermark yet; is the aggregator running?` }
  return { until: row.completeUntil, reason: `${name} is complete until ${formatInstant(row.completeUntil)}` }
}

function relayLimit(topic: string, rows: readonly Watermark[], partition: number, reached: Limit): Limit {
  const name = `the relay of ${topic} partition ${partition}`
  if (rows.length === 0)
    return { until: -Infinity, reason: `${name} has no watermark yet; is ingest running?` }
  const counting = rows.filter(({ relayedBefore }) => relayedBefore <= reached.until)
  if (counting.length === 0)
    return { until: -Infinity, reason: `${name} is ahead of the log: ${reached.reason}` }
  const until = Math.max(...counting.map(({ completeUntil }) => completeUntil))
  return { until, reason: `${name} is complete until ${formatInstant(until)}` }
}
