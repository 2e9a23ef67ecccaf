/** Every topic, its key and its one writing service (two for usage.rejected: each its own records). */
export type TopicSpec = {
  /** Name without the installation's prefix. */
  readonly name: string
  readonly partitions: number
  readonly retentionMs: number
  readonly key: string
  readonly writers: readonly string[]
}

/** The Kafka log of an installation that never cut over; others say which one is theirs (USAGE_LOG). */
export const currentLog = 1

/** Of the first log. Fixed for the life of a log: the partition of an event depends on it. */
export const usagePartitions = 8

/** The Kafka log that offsets belong to, from 1: another partition count or a rebuilt cluster is the next log. */
export type UsageLog = { readonly log: number; readonly partitions: number }

export const firstLog: UsageLog = { log: currentLog, partitions: usagePartitions }

const day = 86_400_000

/** An event's identity is kept for this long, in log time. Fixed per log, see docs/architecture.md. */
export const deduplicationHorizonMs = 40 * day

/** The topic of a log; offsets of different logs have nothing to do with one another. */
export const usageEventsTopicOf = (log: number): string => `usage.events.${log}`

export const usageEventsTopic = usageEventsTopicOf(currentLog)
export const usageRejectedTopic = 'usage.rejected'
export const billingEventsTopic = 'billing.events'
export const legacyTopic = 'reconciliation.legacy'
export const findingsTopic = 'reconciliation.findings'

/** Where a tenant's products write CloudEvents when they speak Kafka; the tenant is known from the name alone. */
export const inboundTopic = (tenant: string): string => `usage.inbound.${tenant}`

export const inboundTopicSpec = (tenant: string): TopicSpec => ({
  name: inboundTopic(tenant),
  partitions: 4,
  // Shorter than the horizon, so that a relay that starts anew cannot bill what was relayed before.
  retentionMs: 30 * day,
  key: 'any',
  writers: ['products'],
})

export const usageEventsTopicSpec = ({ log, partitions }: UsageLog): TopicSpec => ({
  name: usageEventsTopicOf(log),
  partitions,
  // Longer than the longest outage plus its repair.
  retentionMs: 60 * day,
  key: 'identity',
  writers: ['ingest'],
})

export const topics: readonly TopicSpec[] = [
  usageEventsTopicSpec(firstLog),
  {
    name: usageRejectedTopic,
    partitions: 4,
    retentionMs: 60 * day,
    key: 'tenant',
    writers: ['ingest', 'aggregator'],
  },
  { name: billingEventsTopic, partitions: 4, retentionMs: 400 * day, key: 'customer', writers: ['invoicer'] },
  { name: legacyTopic, partitions: 4, retentionMs: 60 * day, key: 'entity key', writers: ['bridges'] },
  { name: findingsTopic, partitions: 4, retentionMs: 400 * day, key: 'entity key', writers: ['reconciler'] },
]
