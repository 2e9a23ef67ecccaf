import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { inRanges, type OffsetRange } from '../usage/cut-range.ts'
import type { Cell } from './cell.ts'

/** Rows of the ledger's copy by cell that add to their cell: a correction counts where its own raw row lies. */
export const counted = "verdict IN ('accepted', 'correction')"

export type TouchedCell = Cell & { readonly events: number }

/**
 * Cells that got events within the ranges, or lost some to a correction, with how many: it costs as much as the ranges are
 * long. A void has no type of its own, for it counts nowhere.
 */
export async function readTouchedCells(
  clickHouse: ClickHouse,
  ranges: readonly OffsetRange[],
): Promise<TouchedCell[]> {
  if (ranges.length === 0) return []
  return clickHouse.query<TouchedCell>(
    `SELECT tenant, type, toUnixTimestamp(hour) AS hour, toUInt32(count()) AS events
     FROM (
       SELECT tenant, type, hour FROM usage_ledger WHERE ${inRanges(ranges)} AND ${counted} AND type != ''
       UNION ALL
       SELECT tenant, superseded_type, superseded_hour FROM usage_ledger
       WHERE ${inRanges(ranges)} AND verdict = 'correction'
     )
     GROUP BY tenant, type, hour`,
    {},
    { timeoutMs: 600_000 },
  )
}

/** Tenants and types in one statement, whose parameters would otherwise grow with the installation. */
const typesPerQuery = 500

/** Every cell of the types that has events below the cut: what a new meter is filled from. */
export async function readFilledCells(
  clickHouse: ClickHouse,
  types: readonly Pick<Cell, 'tenant' | 'type'>[],
  cut: Cut,
): Promise<Cell[]> {
  const { sql, params } = atCut(cut)
  const cells: Cell[] = []
  for (let start = 0; start < types.length; start += typesPerQuery) {
    const some = types.slice(start, start + typesPerQuery)
    const found = await clickHouse.query<Cell>(
      `SELECT DISTINCT tenant, type, toUnixTimestamp(hour) AS hour FROM usage_ledger_by_cell
       WHERE (tenant, type) IN arrayZip({tenants:Array(String)}, {types:Array(String)})
         AND ${counted} AND ${sql}`,
      {
        ...params,
        tenants: some.map(({ tenant }) => tenant),
        types: some.map(({ type }) => type),
      },
      { timeoutMs: 600_000 },
    )
    // One by one: spread as arguments, a few hundred thousand would overflow the stack.
    for (const cell of found) cells.push(cell)
  }
  return cells
}
