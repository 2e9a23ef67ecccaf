import type { Decision } from '@tidemark/aggregator/deduplication/decide.ts'
import type { TableRows } from '@tidemark/aggregator/event-row.ts'
import { type BatchRows, encodeRows } from '@tidemark/aggregator/rows.ts'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import { identityKey, payloadHash } from '@tidemark/schemas/event-identity.ts'
import { formatInstant, hourOf, type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { currentLog, inboundTopic, inboundTopicSpec, usagePartitions } from '@tidemark/schemas/topics.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'

export type LoggedEvent = {
  tenant: string
  type: string
  subject: string
  time: Micros1970
  data: Json
  /** Left out: at its own time. */
  acceptedAt?: Micros1970
}

export type LogEntry = LoggedEvent & {
  partition: number
  offset: number
  /** Of a correction; a void keeps the fields of what it voids. */
  correction?: { action: 'void' | 'correct'; revision: number; original: LogEntry; superseded: LogEntry }
}

/** Where the tables are left as a consumer would leave them that had read this log: rows without Kafka. */
export type UsageLog = {
  /** Everything appended so far, in the order of each partition's offsets. */
  readonly entries: readonly LogEntry[]
  append(event: LoggedEvent, partition?: number): LogEntry
  /** Corrects what is in force, an event or an earlier correction of it, or voids it if it says nothing new. */
  correct(superseded: LogEntry, change: Partial<LoggedEvent> | 'void'): LogEntry
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

  const insert = ({ table, columns, bytes }: TableRows): Promise<void> =>
    clickHouse.insertNative(table, columns, [bytes])

  const insertRaw = async (partition: number, raw: readonly LogEntry[]): Promise<void> => {
    for (const rows of rowsOf(partition, raw).evidence) if (rows.table === rawTable) await insert(rows)
  }

  return {
    entries,
    append(event, partition = entries.length % usagePartitions) {
      const entry = { ...event, partition, offset: takeOffset(partition) }
      entries.push(entry)
      unwritten.push(entry)
      return entry
    },
    correct(superseded, change) {
      const { partition, correction } = superseded
      const entry: LogEntry = {
        ...superseded,
        ...(change === 'void' ? {} : change),
        offset: takeOffset(partition),
        correction: {
          action: change === 'void' ? 'void' : 'correct',
          revision: (correction?.revision ?? 0) + 1,
          original: correction?.original ?? superseded,
          superseded,
        },
      }
      entries.push(entry)
      unwritten.push(entry)
      return entry
    },
    appendRejected(partition) {
      rejected.push({ partition, offset: takeOffset(partition) })
    },
    writeRaw: (entry) => insertRaw(entry.partition, [entry]),
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
      for (const [partition, entries] of Map.groupBy(unwritten, (entry) => entry.partition)) {
        const raw = entries.filter((entry) => !withoutRaw(entry))
        await insertRaw(partition, raw)
        const { evidence, ledger } = rowsOf(partition, entries)
        for (const rows of [...evidence.filter(({ table }) => table !== rawTable), ledger]) await insert(rows)
      }
      await clickHouse.insert('usage_ledger', rejected.map(rejectedRow))
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

const rawTable = 'usage_events'

/** The rows that a consumer would have written, by the same code. */
const rowsOf = (partition: number, entries: readonly LogEntry[]): BatchRows =>
  encodeRows(currentLog, partition, entries.map(decisionOf))

function decisionOf(entry: LogEntry): Decision {
  const { tenant, type, subject, time, data, acceptedAt = time, partition, offset, correction } = entry
  const { original = entry, superseded, action = 'none', revision = 0 } = correction ?? {}
  const source = 'test'
  const id = `${partition}-${original.offset}`
  const text = canonicalJson(data)
  const event: UsageEvent = {
    tenant,
    tenantNumber: 1,
    id,
    source,
    type,
    subject,
    time,
    acceptedAt,
    data: text,
    payloadHash: payloadHash({ type, subject, timeMicros: time, data: text }),
    action,
    revision,
  }
  const reading = { kind: 'event' as const, event, identity: identityKey(1, source, id) }
  const supersedes = superseded && { place: placeOf(superseded), cell: cellOf(superseded) }
  return {
    record: { offset: BigInt(offset), appendTimeMicros: time, reading },
    verdict: supersedes === undefined ? 'accepted' : 'correction',
    first: placeOf(original),
    rejection: undefined,
    supersedes,
  }
}

const placeOf = ({ partition, offset }: LogEntry) => ({ log: currentLog, partition, offset: BigInt(offset) })

const cellOf = ({ type, time }: LogEntry) => ({ type, hourSeconds: hourOf(time) / 1_000_000 })

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
