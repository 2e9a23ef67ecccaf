import type { Decision } from './deduplication/decide.ts'
import { eventOf, hourSeconds, placedEventOf, type TableRows, verdictNumbers } from './event-row.ts'
import type { LogPartition } from './place.ts'
import { RowBinary } from './row-binary.ts'

/** Verdict in the copy by cell alone: a correction that counts elsewhere, or nowhere, supersedes something here. */
const mark = 6

/** Which cells the valid decisions touch: where each counts, and where a correction supersedes. */
export function cellRows({ log, partition }: LogPartition, valid: readonly Decision[]): TableRows {
  const rows = new RowBinary(valid.length * 80)
  const add = (decision: Decision, type: string, hour: number, verdict: number, supersedes: 0 | 1): void => {
    const event = eventOf(decision)
    if (event === undefined) return
    rows.string(event.tenant)
    rows.string(type)
    rows.uint32(hour)
    rows.uint16(log)
    rows.uint16(partition)
    rows.uint64(decision.record.offset)
    rows.uint8(verdict)
    rows.fixed(event.payloadHash)
    rows.uint8(supersedes)
  }
  for (const decision of valid) {
    const event = placedEventOf(decision)
    const superseded = decision.supersedes?.cell
    const hour = hourSeconds(event)
    // One row where a correction counts in the cell in which it supersedes: the table's key has room for one.
    const isOneCell = superseded?.type === event?.type && superseded?.hourSeconds === hour
    if (event) add(decision, event.type, hour, verdictNumbers[decision.verdict], isOneCell ? 1 : 0)
    if (superseded && !isOneCell) add(decision, superseded.type, superseded.hourSeconds, mark, 1)
  }
  return { table: 'usage_ledger_by_cell', columns: [...cellColumns, 'supersedes'], bytes: rows.bytes() }
}

/** What the copy by cell has in common with the ledger, where a correction counts. */
export const cellColumns = ['tenant', 'type', 'hour', 'log', 'partition', 'offset', 'verdict', 'payload_hash']

/** What supersedes what, by the cell of the latter: there reads look for what they leave out. */
export function correctionRows({ log, partition }: LogPartition, valid: readonly Decision[]): TableRows {
  const rows = new RowBinary(0)
  for (const decision of valid) {
    const event = eventOf(decision)
    const { supersedes } = decision
    if (event === undefined || supersedes === undefined) continue
    rows.string(event.tenant)
    rows.string(supersedes.cell.type)
    rows.uint32(supersedes.cell.hourSeconds)
    rows.uint16(supersedes.place.log)
    rows.uint16(supersedes.place.partition)
    rows.uint64(supersedes.place.offset)
    rows.uint16(log)
    rows.uint16(partition)
    rows.uint64(decision.record.offset)
    rows.string(event.action)
    rows.uint32(event.revision)
  }
  return { table: 'usage_corrections', columns: correctionColumns, bytes: rows.bytes() }
}

const correctionColumns = [
  'tenant',
  'type',
  'superseded_hour',
  'superseded_log',
  'superseded_partition',
  'superseded_offset',
  'log',
  'partition',
  'offset',
  'action',
  'revision',
]
