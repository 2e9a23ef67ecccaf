import { NativeBlock } from '@tidemark/infra/clickhouse/native-block.ts'
import { identityKeyBytes } from '@tidemark/schemas/event-identity.ts'
import {
  type BatchColumns,
  bytesFor,
  collectColumns,
  hashBytes,
  numbersFor,
  pick,
  pickTexts,
  rowsWhere,
  wordsFor,
} from './batch-columns.ts'
import { cellRows, correctionRows } from './cell-rows.ts'
import type { Reading } from './decode.ts'
import type { Decision } from './deduplication/decide.ts'
import { DictionaryBuilder, textColumn } from './event-columns.ts'
import { type TableRows, verdictNumbers } from './event-row.ts'
import type { PackedEvent } from './packed-event.ts'
import type { LogPartition } from './place.ts'

/** The rows of one decided batch; nothing in them comes from elsewhere than the log. */
export type BatchRows = {
  /** Raw events, what they supersede and the two copies of the ledger that look-ups read: written first, in any order. */
  readonly evidence: readonly TableRows[]
  /** Written when all evidence is acknowledged. */
  readonly ledger: TableRows
}

const noIdentity = Buffer.alloc(identityKeyBytes)

/** What the ledger says of a record's identity: zeros where its bytes had none. */
export const readingIdentity = (reading: Reading): Buffer =>
  reading.kind === 'event' ? reading.identity : noIdentity

export function encodeRows(log: number, partition: number, decisions: readonly Decision[]): BatchRows {
  const columns = collectColumns(decisions)
  const { events, verdict } = columns
  const isValid = (row: number): boolean =>
    verdict[row] === verdictNumbers.accepted || verdict[row] === verdictNumbers.correction
  const identified = rowsWhere(decisions.length, (row) => events[row] !== undefined)
  const counted = rowsWhere(decisions.length, (row) => isValid(row) && events[row]?.action !== 'void')
  const place = { log, partition }
  return {
    evidence: [
      rawRows(place, columns, counted),
      correctionRows(place, decisions),
      identityRows(place, columns, identified),
      cellRows(place, columns, counted, decisions),
    ],
    ledger: ledgerRows(place, columns),
  }
}

function rawRows({ log, partition }: LogPartition, columns: BatchColumns, rows: Uint32Array): TableRows {
  const events: PackedEvent[] = []
  const source = new DictionaryBuilder(rows.length)
  const time = new Float64Array(rows.length)
  const acceptedAt = new Float64Array(rows.length)
  for (const row of rows) {
    const event = columns.events[row]
    if (event === undefined) continue
    time[events.length] = event.time
    acceptedAt[events.length] = event.acceptedAt
    source.addOf(event, 'source')
    events.push(event)
  }
  const block = new NativeBlock(rows.length)
    .dictionary('tenant', pickTexts(columns.tenant, rows))
    .dictionary('type', pickTexts(columns.type, rows))
    .text('subject', textColumn(events, 'subject'))
    .micros('time', time)
    .uint16('log', log)
    .uint16('partition', partition)
    .uint64('offset', pick(columns.offset, rows, numbersFor))
    .dictionary('source', source.done())
    .text('id', textColumn(events, 'id'))
    .micros('accepted_at', acceptedAt)
    .fixed('payload_hash', hashBytes, pick(columns.payloadHash, rows, bytesFor, hashBytes))
    .text('data', textColumn(events, 'data'))
  return { table: 'usage_events', columns: block.columns, bytes: block.bytes() }
}

function identityRows({ log, partition }: LogPartition, columns: BatchColumns, rows: Uint32Array): TableRows {
  const block = new NativeBlock(rows.length)
    .fixed('identity', identityKeyBytes, pick(columns.identity, rows, bytesFor, identityKeyBytes))
    .uint16('log', log)
    .uint16('partition', partition)
    .uint64('offset', pick(columns.offset, rows, numbersFor))
    .int8('verdict', pick(columns.verdict, rows, bytesFor))
    .fixed('payload_hash', hashBytes, pick(columns.payloadHash, rows, bytesFor, hashBytes))
    .uint32('revision', pick(columns.revision, rows, wordsFor))
    .micros('append_time', pick(columns.appendTime, rows, numbersFor))
    .seconds('hour', pick(columns.hour, rows, wordsFor))
  return { table: 'usage_ledger_by_identity', columns: block.columns, bytes: block.bytes() }
}

function ledgerRows({ log, partition }: LogPartition, columns: BatchColumns): TableRows {
  const block = new NativeBlock(columns.events.length)
    .uint16('log', log)
    .uint16('partition', partition)
    .uint64('offset', columns.offset)
    .int8('verdict', columns.verdict)
    .fixed('identity', identityKeyBytes, columns.identity)
    .fixed('payload_hash', hashBytes, columns.payloadHash)
    .uint32('revision', columns.revision)
    .uint16('first_log', columns.firstLog)
    .uint16('first_partition', columns.firstPartition)
    .uint64('first_offset', columns.firstOffset)
    .micros('append_time', columns.appendTime)
    .dictionary('tenant', columns.tenant)
    .dictionary('type', columns.type)
    .seconds('hour', columns.hour)
    .dictionary('superseded_type', columns.supersededType)
    .seconds('superseded_hour', columns.supersededHour)
  return { table: 'usage_ledger', columns: block.columns, bytes: block.bytes() }
}

/** All that the ledger says of a record, for who compares rows whole. */
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
