import { identityKeyBytes } from '@tidemark/schemas/event-identity.ts'
import { cellRows, correctionRows } from './cell-rows.ts'
import type { Reading } from './decode.ts'
import type { Decision } from './deduplication/decide.ts'
import { eventOf, hourSeconds, placedEventOf, type TableRows, verdictNumbers } from './event-row.ts'
import type { LogPartition } from './place.ts'
import { RowBinary } from './row-binary.ts'

/** The rows of one decided batch; nothing in them comes from elsewhere than the log. */
export type BatchRows = {
  /** Raw events, what they supersede and the two copies of the ledger that look-ups read: written first, in any order. */
  readonly evidence: readonly TableRows[]
  /** Written when all evidence is acknowledged. */
  readonly ledger: TableRows
}

const noIdentity = Buffer.alloc(identityKeyBytes)
const noHash = Buffer.alloc(16)

/** What the ledger says of a record's identity: zeros where its bytes had none. */
export const readingIdentity = (reading: Reading): Buffer =>
  reading.kind === 'event' ? reading.identity : noIdentity

export function encodeRows(log: number, partition: number, decisions: readonly Decision[]): BatchRows {
  const valid = decisions.filter(({ verdict }) => verdict === 'accepted' || verdict === 'correction')
  const identified = decisions.filter(({ record }) => record.reading.kind === 'event')
  const place = { log, partition }
  return {
    evidence: [
      rawRows(place, valid),
      correctionRows(place, valid),
      identityRows(place, identified),
      cellRows(place, valid),
    ],
    ledger: ledgerRows(place, decisions),
  }
}

function rawRows({ log, partition }: LogPartition, valid: readonly Decision[]): TableRows {
  const rows = new RowBinary(valid.length * 300)
  for (const decision of valid) {
    const event = placedEventOf(decision)
    if (event === undefined) continue
    rows.string(event.tenant)
    rows.string(event.type)
    rows.string(event.subject)
    rows.micros(event.time)
    rows.uint16(log)
    rows.uint16(partition)
    rows.uint64(decision.record.offset)
    rows.string(event.source)
    rows.string(event.id)
    rows.micros(event.acceptedAt)
    rows.fixed(event.payloadHash)
    rows.string(event.data)
  }
  return { table: 'usage_events', columns: rawColumns, bytes: rows.bytes() }
}

const rawColumns = [
  'tenant',
  'type',
  'subject',
  'time',
  'log',
  'partition',
  'offset',
  'source',
  'id',
  'accepted_at',
  'payload_hash',
  'data',
]

function identityRows({ log, partition }: LogPartition, identified: readonly Decision[]): TableRows {
  const rows = new RowBinary(identified.length * 72)
  for (const decision of identified) {
    const event = eventOf(decision)
    rows.fixed(readingIdentity(decision.record.reading))
    rows.uint16(log)
    rows.uint16(partition)
    rows.uint64(decision.record.offset)
    rows.uint8(verdictNumbers[decision.verdict])
    rows.fixed(event?.payloadHash ?? noHash)
    rows.uint32(event?.revision ?? 0)
    rows.micros(decision.record.appendTimeMicros)
    rows.uint32(hourSeconds(placedEventOf(decision)))
  }
  return { table: 'usage_ledger_by_identity', columns: identityColumns, bytes: rows.bytes() }
}

export const identityColumns = [
  'identity',
  'log',
  'partition',
  'offset',
  'verdict',
  'payload_hash',
  'revision',
  'append_time',
  'hour',
]

function ledgerRows({ log, partition }: LogPartition, decisions: readonly Decision[]): TableRows {
  const rows = new RowBinary(decisions.length * 128)
  for (const decision of decisions) {
    const event = eventOf(decision)
    rows.uint16(log)
    rows.uint16(partition)
    rows.uint64(decision.record.offset)
    rows.uint8(verdictNumbers[decision.verdict])
    rows.fixed(readingIdentity(decision.record.reading))
    rows.fixed(event?.payloadHash ?? noHash)
    rows.uint32(event?.revision ?? 0)
    // Log 0 is no log: nobody holds the identity of what was rejected.
    rows.uint16(decision.first?.log ?? 0)
    rows.uint16(decision.first?.partition ?? 0)
    rows.uint64(decision.first?.offset ?? 0n)
    rows.micros(decision.record.appendTimeMicros)
    rows.string(event?.tenant ?? '')
    const placed = placedEventOf(decision)
    rows.string(placed?.type ?? '')
    rows.uint32(hourSeconds(placed))
    rows.string(decision.supersedes?.cell.type ?? '')
    rows.uint32(decision.supersedes?.cell.hourSeconds ?? 0)
  }
  return { table: 'usage_ledger', columns: ledgerColumns, bytes: rows.bytes() }
}

export const ledgerColumns = [
  'log',
  'partition',
  'offset',
  'verdict',
  'identity',
  'payload_hash',
  'revision',
  'first_log',
  'first_partition',
  'first_offset',
  'append_time',
  'tenant',
  'type',
  'hour',
  'superseded_type',
  'superseded_hour',
]
