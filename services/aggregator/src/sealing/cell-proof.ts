import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut, eventHash } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { type Cell, cellName, cellParams } from './cell.ts'
import { counted } from './dirty-cells.ts'

/** A set of events by its count and hash: equal ones are the same set. */
export type EventSet = { readonly count: bigint; readonly hash: bigint }

export type CellProof = { readonly ledger: EventSet; readonly raw: EventSet }

export const isProved = ({ ledger, raw }: CellProof): boolean =>
  ledger.count === raw.count && ledger.hash === raw.hash

const none: EventSet = { count: 0n, hash: 0n }

/** What the ledger and the raw events say of each cell as of the cut, by cellName. */
export async function proveCells(
  clickHouse: ClickHouse,
  cells: readonly Cell[],
  cut: Cut,
): Promise<Map<string, CellProof>> {
  const { sql, params } = atCut(cut)
  const allParams = { ...params, ...cellParams(cells) }
  const [ledger, raw] = await Promise.all([
    readSets(
      clickHouse,
      `SELECT tenant, type, toUnixTimestamp(hour) AS cell, ${asText}
       FROM usage_ledger_by_cell FINAL
       WHERE (tenant, type, toUnixTimestamp(hour)) IN ${zipped('hours:Array(UInt32)')} AND ${counted} AND ${sql}
       GROUP BY tenant, type, cell`,
      allParams,
    ),
    readSets(
      clickHouse,
      `SELECT tenant, type, toUnixTimestamp(toStartOfHour(time)) AS cell, ${asText}
       FROM usage_events FINAL
       WHERE (tenant, type, toDate(time)) IN ${zipped('days:Array(Date)')}
         AND (tenant, type, toUnixTimestamp(toStartOfHour(time))) IN ${zipped('hours:Array(UInt32)')} AND ${sql}
       GROUP BY tenant, type, cell
       SETTINGS do_not_merge_across_partitions_select_final = 1`,
      allParams,
    ),
  ])
  return new Map(
    cells.map((cell) => {
      const name = cellName(cell)
      return [name, { ledger: ledger.get(name) ?? none, raw: raw.get(name) ?? none }]
    }),
  )
}

const asText = `toString(count()) AS count, toString(${eventHash}) AS hash`

const zipped = (third: string): string =>
  `arrayZip({tenants:Array(String)}, {types:Array(String)}, {${third}})`

async function readSets(
  clickHouse: ClickHouse,
  sql: string,
  params: Readonly<Record<string, unknown>>,
): Promise<Map<string, EventSet>> {
  const rows = await clickHouse.query<{
    tenant: string
    type: string
    cell: number
    count: string
    hash: string
  }>(sql, params, { timeoutMs: 600_000 })
  return new Map(
    rows.map(({ tenant, type, cell, count, hash }) => [
      cellName({ tenant, type, hour: cell }),
      { count: BigInt(count), hash: BigInt(hash) },
    ]),
  )
}
