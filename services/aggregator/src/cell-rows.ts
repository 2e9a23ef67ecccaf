import { NativeBlock } from '@tidemark/infra/clickhouse/native-block.ts'
import {
  type BatchColumns,
  bytesFor,
  hashBytes,
  numbersFor,
  pick,
  pickTexts,
  wordsFor,
} from './batch-columns.ts'
import type { Decision } from './deduplication/decide.ts'
import { DictionaryBuilder } from './event-columns.ts'
import { eventOf, hourSeconds, placedEventOf, type TableRows } from './event-row.ts'
import type { LogPartition } from './place.ts'

/** Verdict in the copy by cell alone: a correction that counts elsewhere, or nowhere, supersedes something here. */
const mark = 6

/** Which cells the valid decisions touch: where each counts, and where a correction supersedes. */
export function cellRows(
  { log, partition }: LogPartition,
  columns: BatchColumns,
  counted: Uint32Array,
  decisions: readonly Decision[],
): TableRows {
  const supersedes = new Uint8Array(counted.length)
  const marking: Decision[] = []
  for (const [at, row] of counted.entries()) {
    const decision = decisions[row]
    if (decision?.supersedes !== undefined && isOneCell(decision)) supersedes[at] = 1
  }
  for (const decision of decisions)
    if (decision.supersedes !== undefined && !isOneCell(decision)) marking.push(decision)
  const block = new NativeBlock(counted.length)
    .dictionary('tenant', pickTexts(columns.tenant, counted))
    .dictionary('type', pickTexts(columns.type, counted))
    .seconds('hour', pick(columns.hour, counted, wordsFor))
    .uint16('log', log)
    .uint16('partition', partition)
    .uint64('offset', pick(columns.offset, counted, numbersFor))
    .int8('verdict', pick(columns.verdict, counted, bytesFor))
    .fixed('payload_hash', hashBytes, pick(columns.payloadHash, counted, bytesFor, hashBytes))
    .uint8('supersedes', supersedes)
  const marks = markRows({ log, partition }, marking)
  const bytes = marking.length === 0 ? block.bytes() : Buffer.concat([block.bytes(), marks.bytes()])
  return { table: 'usage_ledger_by_cell', columns: block.columns, bytes }
}

/** One row where a correction counts in the cell in which it supersedes: the table's key has room for one. */
function isOneCell(decision: Decision): boolean {
  const event = placedEventOf(decision)
  const cell = decision.supersedes?.cell
  return cell?.type === event?.type && cell?.hourSeconds === hourSeconds(event)
}

/** The cells in which corrections supersede and do not count. */
function markRows({ log, partition }: LogPartition, decisions: readonly Decision[]): NativeBlock {
  const rows = decisions.length
  const tenant = new DictionaryBuilder(rows)
  const type = new DictionaryBuilder(rows)
  for (const decision of decisions) {
    tenant.add(eventOf(decision)?.tenant ?? '')
    type.add(decision.supersedes?.cell.type ?? '')
  }
  const hashes = decisions.map((decision) => eventOf(decision)?.payloadHash ?? Buffer.alloc(hashBytes))
  return new NativeBlock(rows)
    .dictionary('tenant', tenant.done())
    .dictionary('type', type.done())
    .seconds(
      'hour',
      Uint32Array.from(decisions, ({ supersedes }) => supersedes?.cell.hourSeconds ?? 0),
    )
    .uint16('log', log)
    .uint16('partition', partition)
    .uint64(
      'offset',
      Float64Array.from(decisions, ({ record }) => Number(record.offset)),
    )
    .int8('verdict', new Uint8Array(rows).fill(mark))
    .fixed('payload_hash', hashBytes, Buffer.concat(hashes))
    .uint8('supersedes', new Uint8Array(rows).fill(1))
}

/** What supersedes what, by the cell of the latter: there reads look for what they leave out. */
export function correctionRows({ log, partition }: LogPartition, decisions: readonly Decision[]): TableRows {
  const corrections = decisions.flatMap(({ record: { offset, reading }, supersedes }) =>
    supersedes === undefined || reading.kind !== 'event'
      ? []
      : [{ offset, event: reading.event, supersedes }],
  )
  const rows = corrections.length
  const tenant = new DictionaryBuilder(rows)
  const type = new DictionaryBuilder(rows)
  const action = new DictionaryBuilder(rows)
  for (const { event, supersedes } of corrections) {
    tenant.add(event.tenant)
    type.add(supersedes.cell.type)
    action.add(event.action)
  }
  const block = new NativeBlock(rows)
    .dictionary('tenant', tenant.done())
    .dictionary('type', type.done())
    .seconds(
      'superseded_hour',
      Uint32Array.from(corrections, ({ supersedes }) => supersedes.cell.hourSeconds),
    )
    .uint16(
      'superseded_log',
      Uint16Array.from(corrections, ({ supersedes }) => supersedes.place.log),
    )
    .uint16(
      'superseded_partition',
      Uint16Array.from(corrections, ({ supersedes }) => supersedes.place.partition),
    )
    .uint64(
      'superseded_offset',
      Float64Array.from(corrections, ({ supersedes }) => Number(supersedes.place.offset)),
    )
    .uint16('log', log)
    .uint16('partition', partition)
    .uint64(
      'offset',
      Float64Array.from(corrections, ({ offset }) => Number(offset)),
    )
    .dictionary('action', action.done())
    .uint32(
      'revision',
      Uint32Array.from(corrections, ({ event }) => event.revision),
    )
  return { table: 'usage_corrections', columns: block.columns, bytes: block.bytes() }
}
