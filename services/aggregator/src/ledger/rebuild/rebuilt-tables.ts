import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { type Cut, formatCut, parseCut } from '@tidemark/schemas/cut.ts'

/** What a rebuild makes anew, in the order in which it is swapped: the ledger last, for it speaks of all others. */
export const rebuiltTables = [
  'usage_events',
  'usage_corrections',
  'usage_ledger_by_identity',
  'usage_ledger_by_cell',
  'usage_ledger',
] as const

export type RebuiltTable = (typeof rebuiltTables)[number]

/** The table beside the one in use: first the new one, after the swap the old one. */
export const besideName = (table: string): string => `${table}_rebuilt`

const anyTable = /\busage_(?:events|corrections|ledger|ledger_by_identity|ledger_by_cell)\b(?!_)/g

/** A ClickHouse in which the aggregator's own code reads and writes the tables beside those in use. */
export const besideTables = (clickHouse: ClickHouse): ClickHouse => {
  const beside = (sql: string): string => sql.replaceAll(anyTable, besideName)
  return {
    ...clickHouse,
    query: (sql, params, options) => clickHouse.query(beside(sql), params, options),
    queryRowBinary: (sql, params, options) => clickHouse.queryRowBinary(beside(sql), params, options),
    stream: (sql, params, options) => clickHouse.stream(beside(sql), params, options),
    insert: (table, rows, columns, options) => clickHouse.insert(beside(table), rows, columns, options),
    insertNative: (table, columns, blocks, options) =>
      clickHouse.insertNative(beside(table), columns, blocks, options),
    command: (sql, params, options) => clickHouse.command(beside(sql), params, options),
  }
}

/**
 * A table made by a rebuild carries its cut in its comment, which goes with it when it is swapped, until the rebuild is
 * finished: so whoever comes after a crash sees which tables have been swapped.
 */
const mark = 'tidemark rebuild, cut '

export type MarkedTables = {
  /** Tables in use that a rebuild has put there and not finished. */
  readonly inUse: readonly RebuiltTable[]
  /** Tables beside, made by a rebuild and not yet swapped. */
  readonly beside: readonly RebuiltTable[]
  readonly cut: Cut
}

export async function readMarks(clickHouse: ClickHouse): Promise<MarkedTables> {
  const rows = await clickHouse.query<{ name: string; comment: string }>(
    'SELECT name, comment FROM system.tables WHERE database = currentDatabase()',
  )
  const marked = new Map(
    rows.filter(({ comment }) => comment.startsWith(mark)).map((row) => [row.name, row.comment]),
  )
  const [first = mark] = marked.values()
  return {
    inUse: rebuiltTables.filter((table) => marked.has(table)),
    beside: rebuiltTables.filter((table) => marked.has(besideName(table))),
    cut: parseCut(first.slice(mark.length)),
  }
}

export async function makeTables(clickHouse: ClickHouse, cut: Cut): Promise<void> {
  for (const table of rebuiltTables) {
    await clickHouse.command(`CREATE TABLE ${besideName(table)} AS ${table}`)
    await clickHouse.command(`ALTER TABLE ${besideName(table)} MODIFY COMMENT '${mark}${formatCut(cut)}'`)
  }
}

export async function clearMarks(clickHouse: ClickHouse): Promise<void> {
  for (const table of rebuiltTables) await clickHouse.command(`ALTER TABLE ${table} MODIFY COMMENT ''`)
}

export async function dropBeside(clickHouse: ClickHouse): Promise<void> {
  // The server may refuse at once to drop tables of some size; then it says which setting allows it.
  for (const table of rebuiltTables)
    await clickHouse.command(`DROP TABLE IF EXISTS ${besideName(table)} SYNC`)
}

/** Only these databases swap two tables in one step. */
export async function assertAtomic(clickHouse: ClickHouse): Promise<void> {
  const [row] = await clickHouse.query<{ engine: string }>(
    'SELECT engine FROM system.databases WHERE name = currentDatabase()',
  )
  if (row?.engine === 'Atomic' || row?.engine === 'Replicated') return
  throw new Failure(
    `the database has the engine ${row?.engine ?? 'unknown'}, which cannot swap tables in one step; a rebuild needs Atomic`,
    { code: 'database_engine', retryable: false },
  )
}
