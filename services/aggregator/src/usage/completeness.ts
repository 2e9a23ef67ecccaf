import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { inboundTopicSpec } from '@tidemark/schemas/topics.ts'
import { processedUntil, type RelayWatermark, type Watermarks } from './watermarks.ts'

/** What a partition has not reached yet, usage.events and a tenant's inbound topic alike. */
export type Missing = {
  readonly topic: 'usage.events' | 'usage.inbound'
  readonly partition: number
  readonly completeUntil: Micros1970
}

export type Completeness = {
  /** Takes note of relay rows that count only once the aggregator has come as far as they say. */
  observe(watermarks: Watermarks): void
  /** Every event that the tenant got acknowledged before this instant is in, by HTTP or Kafka. */
  completeUntil(watermarks: Watermarks, tenant: string): Micros1970
  missing(watermarks: Watermarks, tenant: string, until: Micros1970): Missing[]
}

/** Enough for the time between a relay's row and the aggregator's reaching it, at a row or two a second. */
const remembered = 120

/**
 * A relay's row (T, U) counts once every partition of usage.events has reached U. The relay goes on writing newer rows
 * meanwhile, so those not yet reached are remembered here, or a steady relay would never count.
 */
export function createCompleteness(): Completeness {
  const seen = new Map<string, RelayWatermark[]>()
  const nameOf = ({ topic, partition }: Pick<RelayWatermark, 'topic' | 'partition'>) =>
    `${topic}/${partition}`

  function observe({ relays }: Watermarks): void {
    for (const relay of relays) {
      const rows = seen.get(nameOf(relay)) ?? []
      if (rows.at(-1)?.relayedBefore === relay.relayedBefore) rows.pop()
      rows.push(relay)
      if (rows.length > remembered) rows.shift()
      seen.set(nameOf(relay), rows)
    }
  }

  function relayedUntil(name: string, reached: Micros1970): Micros1970 {
    const counting = (seen.get(name) ?? []).filter(({ relayedBefore }) => relayedBefore <= reached)
    return Math.max(0, ...counting.map(({ completeUntil }) => completeUntil))
  }

  function perPartition(watermarks: Watermarks, tenant: string): Missing[] {
    observe(watermarks)
    const reached = processedUntil(watermarks)
    const { name: topic, partitions } = inboundTopicSpec(tenant)
    return [
      ...watermarks.partitions.map(({ partition, completeUntil }) => ({
        topic: 'usage.events' as const,
        partition,
        completeUntil,
      })),
      // Every tenant may send by Kafka too; a partition without a row has not been looked at yet.
      ...Array.from({ length: partitions }, (_, partition) => ({
        topic: 'usage.inbound' as const,
        partition,
        completeUntil: relayedUntil(nameOf({ topic, partition }), reached),
      })),
    ]
  }

  return {
    observe,
    completeUntil: (watermarks, tenant) =>
      Math.min(...perPartition(watermarks, tenant).map(({ completeUntil }) => completeUntil)),
    missing: (watermarks, tenant, until) =>
      perPartition(watermarks, tenant).filter(({ completeUntil }) => completeUntil < until),
  }
}
