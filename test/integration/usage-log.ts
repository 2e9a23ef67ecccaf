import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import { payloadHash } from '@tidemark/schemas/event-identity.ts'
import { formatInstant, hourOf, type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { currentLog, inboundTopic, inboundTopicSpec, usagePartitions } from '@tidemark/schemas/topics.ts'

export type LoggedEvent = {
  tenant: string
  type: string
  subject: string
  time: Micros1970
  data: Json
}

export type LogEntry = LoggedEvent & { partition: number; offset: number }

/** Where the tables are left as a consumer would leave them that had read this log: rows without Kafka. */
export type UsageLog = {
  /** Everything appended so far, in the order of each partition's offsets. */
  readonly entries: readonly LogEntry[]
  append(event: LoggedEvent, partition?: number): LogEntry
  /** A record that the ledger knows and no cell counts. */
  appendRejected(partition: number): void
  /** A raw row alone, as between two inserts of a consumer, or as a repair writes it. */
  writeRaw(entry: LogEntry): Promise<void>
  /** All that a tenant sent by Kafka before `until` stood on usage.events before `relayedBefore`. */
  writeRelay(tenant: string, until: Micros1970, relayedBefore: Micros1970): Promise<void>
  /** Writes what has been appended since: raw events, then cells, then the ledger, then the watermarks. */
  write(completeUntil: Micros1970, options?: { withoutRaw?: (entry: LogEntry) => boolean }): Promise<void>
}

export const at = (text: string): Micros1970 => parseInstant(text) ?? Number.NaN

export function createUsageLog(clickHouse: ClickHouse): UsageLog {
  const nextOffsets = Array.from({ length: usagePartitions }, () => 0)
  const entries: LogEntry[] = []
  let unwritten: LogEntry[] = []
  let rejected: { partition: number; offset: number }[] = []

  const takeOffset = (partition: number): number => {
    const offset = nextOffsets[partition] ?? 0
    nextOffsets[partition] = offset + 1
    return offset
  }

  return {
    entries,
    append(event, partition = entries.length % usagePartitions) {
      const entry = { ...event, partition, offset: takeOffset(partition) }
      entries.push(entry)
      unwritten.push(entry)
      return entry
    },
    appendRejected(partition) {
      rejected.push({ partition, offset: takeOffset(partition) })
    },
    writeRaw: (entry) => clickHouse.insert('usage_events', [rawRow(entry)]),
    writeRelay: (tenant, until, relayedBefore) =>
      clickHouse.insert(
        'usage_watermarks',
        Array.from({ length: inboundTopicSpec(tenant).partitions }, (_, partition) => ({
          topic: inboundTopic(tenant),
          log: 1,
          partition,
          next_offset: 0,
          complete_until: formatInstant(until),
          relayed_before: formatInstant(relayedBefore),
        })),
      ),
    async write(completeUntil, { withoutRaw = () => false } = {}) {
      const raw = unwritten.filter((entry) => !withoutRaw(entry)).map(rawRow)
      await clickHouse.insert('usage_events', raw)
      await clickHouse.insert('usage_ledger_by_cell', unwritten.map(cellRow))
      await clickHouse.insert('usage_ledger', [...unwritten.map(ledgerRow), ...rejected.map(rejectedRow)])
      unwritten = []
      rejected = []
      await clickHouse.insert(
        'usage_watermarks',
        nextOffsets.map((next_offset, partition) => ({
          topic: 'usage.events',
          log: currentLog,
          partition,
          next_offset,
          complete_until: formatInstant(completeUntil),
          relayed_before: formatInstant(0),
        })),
      )
    },
  }
}

const place = ({ partition, offset }: { partition: number; offset: number }) => ({
  log: currentLog,
  partition,
  offset,
})

/** As text of one-byte characters that JSON can carry: what matters here is that it differs. */
const hashOf = ({ type, subject, time, data }: LoggedEvent): string =>
  payloadHash({ type, subject, timeMicros: time, data: canonicalJson(data) })
    .toString('base64')
    .slice(0, 16)

const rawRow = (entry: LogEntry) => ({
  tenant: entry.tenant,
  type: entry.type,
  subject: entry.subject,
  time: formatInstant(entry.time),
  ...place(entry),
  source: 'test',
  id: `${entry.partition}-${entry.offset}`,
  accepted_at: formatInstant(entry.time),
  payload_hash: hashOf(entry),
  data: canonicalJson(entry.data),
})

const cellOf = ({ tenant, type, time }: LogEntry) => ({ tenant, type, hour: hourOf(time) / 1_000_000 })

const cellRow = (entry: LogEntry) => ({
  ...cellOf(entry),
  ...place(entry),
  verdict: 'accepted',
  payload_hash: hashOf(entry),
})

const ledgerRow = (entry: LogEntry) => ({
  ...place(entry),
  ...cellOf(entry),
  verdict: 'accepted',
  identity: 'i'.repeat(20),
  payload_hash: hashOf(entry),
  revision: 0,
  first_log: currentLog,
  first_partition: entry.partition,
  first_offset: entry.offset,
  append_time: formatInstant(entry.time),
})

const rejectedRow = (entry: { partition: number; offset: number }) => ({
  ...place(entry),
  tenant: '',
  type: '',
  hour: 0,
  verdict: 'rejected',
  identity: '',
  payload_hash: '',
  revision: 0,
  first_log: currentLog,
  first_partition: entry.partition,
  first_offset: entry.offset,
  append_time: formatInstant(0),
})
