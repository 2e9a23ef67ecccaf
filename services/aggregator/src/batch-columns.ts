import type { Dictionary } from '@tidemark/infra/clickhouse/native-block.ts'
import { identityKeyBytes } from '@tidemark/schemas/event-identity.ts'
import { hourOf } from '@tidemark/schemas/instant.ts'
import type { Decision } from './deduplication/decide.ts'
import { DictionaryBuilder } from './event-columns.ts'
import { eventOf, verdictNumbers } from './event-row.ts'
import { type PackedEvent, packed } from './packed-event.ts'

export const hashBytes = 16

/** What the ledger says of each record of a batch, in columns; its copies take theirs from here. */
export type BatchColumns = {
  /** Undefined where the bytes were none. */
  readonly events: readonly (PackedEvent | undefined)[]
  readonly offset: Float64Array
  readonly verdict: Uint8Array
  readonly identity: Uint8Array
  readonly payloadHash: Uint8Array
  readonly revision: Uint32Array
  readonly firstLog: Uint16Array
  readonly firstPartition: Uint16Array
  readonly firstOffset: Float64Array
  readonly appendTime: Float64Array
  readonly tenant: Dictionary
  /** Empty, and the hour 1970, of a void: it counts nowhere, whatever type and time its sender gave it. */
  readonly type: Dictionary
  readonly hour: Uint32Array
  readonly supersededType: Dictionary
  readonly supersededHour: Uint32Array
}

export function collectColumns(decisions: readonly Decision[]): BatchColumns {
  const rows = decisions.length
  const events: (PackedEvent | undefined)[] = []
  const offset = new Float64Array(rows)
  const verdict = new Uint8Array(rows)
  const identity = new Uint8Array(rows * identityKeyBytes)
  const payloadHash = new Uint8Array(rows * hashBytes)
  const revision = new Uint32Array(rows)
  const firstLog = new Uint16Array(rows)
  const firstPartition = new Uint16Array(rows)
  const firstOffset = new Float64Array(rows)
  const appendTime = new Float64Array(rows)
  const tenant = new DictionaryBuilder(rows)
  const type = new DictionaryBuilder(rows)
  const hour = new Uint32Array(rows)
  const supersededType = new DictionaryBuilder(rows)
  const supersededHour = new Uint32Array(rows)
  for (let row = 0; row < rows; row += 1) {
    const decision = decisions[row]
    if (decision === undefined) continue
    const { record, first, supersedes } = decision
    const given = eventOf(decision)
    const event = given === undefined ? undefined : packed(given)
    events.push(event)
    offset[row] = Number(record.offset)
    verdict[row] = verdictNumbers[decision.verdict]
    // Log 0 is no log: nobody holds the identity of what was rejected.
    if (first !== undefined) {
      firstLog[row] = first.log
      firstPartition[row] = first.partition
      firstOffset[row] = Number(first.offset)
    }
    appendTime[row] = record.appendTimeMicros
    if (record.reading.kind === 'event') copy(record.reading.identity, 0, identity, row, identityKeyBytes)
    if (event === undefined) tenant.add('')
    else {
      copy(event.bytes, event.hashAt, payloadHash, row, hashBytes)
      revision[row] = event.revision
      tenant.addOf(event, 'tenant')
    }
    if (event === undefined || event.action === 'void') type.add('')
    else {
      type.addOf(event, 'type')
      hour[row] = hourOf(event.time) / 1_000_000
    }
    supersededType.add(supersedes?.cell.type ?? '')
    supersededHour[row] = supersedes?.cell.hourSeconds ?? 0
  }
  return {
    events,
    offset,
    verdict,
    identity,
    payloadHash,
    revision,
    firstLog,
    firstPartition,
    firstOffset,
    appendTime,
    tenant: tenant.done(),
    type: type.done(),
    hour,
    supersededType: supersededType.done(),
    supersededHour,
  }
}

function copy(from: Uint8Array, at: number, to: Uint8Array, row: number, length: number): void {
  for (let byte = 0; byte < length; byte += 1) to[row * length + byte] = from[at + byte] ?? 0
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** The values of some rows, written into `into`; the column itself where these are all. */
export function pick<Column extends Numbers>(
  column: Column,
  rows: Uint32Array,
  into: (count: number) => Column,
  width = 1,
): Column {
  if (column.length === rows.length * width) return column
  const picked = into(rows.length * width)
  for (let at = 0; at < rows.length; at += 1) {
    const from = (rows[at] ?? 0) * width
    for (let each = 0; each < width; each += 1) picked[at * width + each] = column[from + each] ?? 0
  }
  return picked
}

export const bytesFor = (count: number): Uint8Array => new Uint8Array(count)
export const wordsFor = (count: number): Uint32Array => new Uint32Array(count)
export const numbersFor = (count: number): Float64Array => new Float64Array(count)

export const pickTexts = ({ texts, indexes }: Dictionary, rows: Uint32Array): Dictionary => ({
  texts,
  indexes: pick(indexes, rows, wordsFor),
})

/** Indexes of the rows for which it is so. */
export function rowsWhere(count: number, isSo: (row: number) => boolean): Uint32Array {
  const rows = new Uint32Array(count)
  let found = 0
  for (let row = 0; row < count; row += 1) {
    if (!isSo(row)) continue
    rows[found] = row
    found += 1
  }
  return rows.subarray(0, found)
}
