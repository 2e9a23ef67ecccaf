import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { OffsetRange } from './ledger-order.ts'
import { offsetParams, ofOffsets } from './offset-range.ts'

/** A table beside another, of the same shape: what rows of some offsets should be. */
export type StagedTable = { readonly table: string; readonly staged: string; readonly rowHash: string }

export type RowDifferences = { readonly missing: bigint; readonly wrong: bigint }

const timeout = { timeoutMs: 600_000 }

/** Makes an empty table of the shape that `table` has; drop it when done. */
export async function stageTable(
  clickHouse: ClickHouse,
  table: string,
  suffix: string,
): Promise<StagedTable> {
  const staged = `${table}_${suffix}`
  await clickHouse.command(`DROP TABLE IF EXISTS ${staged} SYNC`)
  await clickHouse.command(`CREATE TABLE ${staged} AS ${table}`)
  const columns = await clickHouse.query<{ name: string }>(
    `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position`,
    { table },
  )
  return { table, staged, rowHash: `hex(sipHash128(${columns.map(({ name }) => name).join(', ')}))` }
}

export const dropStaged = (clickHouse: ClickHouse, { staged }: StagedTable): Promise<void> =>
  clickHouse.command(`DROP TABLE IF EXISTS ${staged} SYNC`)

/**
 * Rows of the table that are not as staged. Only offsets that the ledger has rows for are looked at: behind its end a
 * running aggregator may be writing what the ledger will name next.
 */
const inRange = `${ofOffsets} AND offset IN (SELECT offset FROM usage_ledger WHERE ${ofOffsets})`

/** How many rows are missing or wrong. Every row on disk counts, whether or not others of its key hide it. */
export async function compareStaged(
  clickHouse: ClickHouse,
  { table, staged, rowHash }: StagedTable,
  range: OffsetRange,
): Promise<RowDifferences> {
  const [row] = await clickHouse.query<{ missing: string; wrong: string }>(
    `SELECT countIf(sides = [1]) AS missing, countIf(sides = [2]) AS wrong FROM (
       SELECT groupUniqArray(side) AS sides FROM (
         SELECT ${rowHash} AS row_hash, 1 AS side FROM ${staged} WHERE ${inRange}
         UNION ALL SELECT ${rowHash} AS row_hash, 2 AS side FROM ${table} WHERE ${inRange}
       ) GROUP BY row_hash
     )`,
    offsetParams(range),
    timeout,
  )
  return { missing: BigInt(row?.missing ?? 0), wrong: BigInt(row?.wrong ?? 0) }
}

/** Hashes that one statement names. */
const rowsPerDeletion = 2_000

/**
 * Writes what is missing, then removes what is wrong: in this order a reader never finds less than there was. Where it
 * breaks off it is done again.
 */
export async function applyStaged(
  clickHouse: ClickHouse,
  { table, staged, rowHash }: StagedTable,
  range: OffsetRange,
): Promise<void> {
  const params = offsetParams(range)
  await clickHouse.command(
    `INSERT INTO ${table} SELECT * FROM ${staged}
     WHERE ${inRange} AND ${rowHash} NOT IN (SELECT ${rowHash} FROM ${table} WHERE ${inRange})`,
    params,
    timeout,
  )
  for (;;) {
    const wrong = await clickHouse.query<{ row_hash: string }>(
      `SELECT DISTINCT ${rowHash} AS row_hash FROM ${table}
       WHERE ${inRange} AND row_hash NOT IN (SELECT ${rowHash} FROM ${staged} WHERE ${inRange})
       LIMIT ${rowsPerDeletion}`,
      params,
      timeout,
    )
    if (wrong.length === 0) return
    // The hashes are our own text; a mutation takes no parameters that long.
    const hashes = wrong.map(({ row_hash }) => `'${row_hash}'`).join(', ')
    await clickHouse.command(
      `ALTER TABLE ${table} DELETE
       WHERE log = ${range.log} AND partition = ${range.partition} AND offset >= ${range.first} AND offset <= ${range.last}
         AND ${rowHash} IN (${hashes}) SETTINGS mutations_sync = 2`,
      {},
      timeout,
    )
  }
}
