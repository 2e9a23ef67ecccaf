import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut, eventHash, eventHashIf, placeHashIf } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { type Cell, cellName, cellParams } from './cell.ts'
import { counted } from './dirty-cells.ts'

/** A set of events by its count and hash: equal ones are the same set. */
export type EventSet = { readonly count: bigint; readonly hash: bigint }

export type CellProof = {
  /** Events that count in the cell by the ledger, and raw rows that lie in it: superseded ones are among both. */
  readonly ledger: EventSet
  readonly raw: EventSet
  /** Corrections that supersede something in the cell, by the ledger and by what reads go by: a lost one would bill twice. */
  readonly marks: EventSet
  readonly corrections: EventSet
}

export const isProved = ({ ledger, raw, marks, corrections }: CellProof): boolean =>
  isSameSet(ledger, raw) && isSameSet(marks, corrections)

const isSameSet = (a: EventSet, b: EventSet): boolean => a.count === b.count && a.hash === b.hash

const none: EventSet = { count: 0n, hash: 0n }

/** What the ledger on one side, raw events and corrections on the other, say of each cell as of the cut, by cellName. */
export async function proveCells(
  clickHouse: ClickHouse,
  cells: readonly Cell[],
  cut: Cut,
): Promise<Map<string, CellProof>> {
  const { sql, params } = atCut(cut)
  const allParams = { ...params, ...cellParams(cells) }
  const [ledger, raw, corrections] = await Promise.all([
    readSets(
      clickHouse,
      // Two sets in one look at the ledger's copy, which is the larger part of the work.
      `SELECT tenant, type, toUnixTimestamp(hour) AS cell,
         toString(countIf(${counted})) AS count, toString(${eventHashIf(counted)}) AS hash,
         toString(countIf(${marked})) AS marks, toString(${placeHashIf(marked)}) AS marksHash
       FROM usage_ledger_by_cell FINAL
       WHERE (tenant, type, toUnixTimestamp(hour)) IN ${zipped('hours:Array(UInt32)')} AND ${sql}
       GROUP BY tenant, type, cell`,
      allParams,
    ),
    readSets(
      clickHouse,
      `SELECT tenant, type, toUnixTimestamp(toStartOfHour(time)) AS cell,
         toString(count()) AS count, toString(${eventHash}) AS hash
       FROM usage_events FINAL
       WHERE (tenant, type, toDate(time)) IN ${zipped('days:Array(Date)')}
         AND (tenant, type, toUnixTimestamp(toStartOfHour(time))) IN ${zipped('hours:Array(UInt32)')} AND ${sql}
       GROUP BY tenant, type, cell
       SETTINGS do_not_merge_across_partitions_select_final = 1`,
      allParams,
    ),
    readSets(
      clickHouse,
      `SELECT tenant, type, toUnixTimestamp(superseded_hour) AS cell,
         toString(count()) AS count, toString(${placeHashIf('true')}) AS hash
       FROM usage_corrections FINAL
       WHERE (tenant, type, toUnixTimestamp(superseded_hour)) IN ${zipped('hours:Array(UInt32)')} AND ${sql}
       GROUP BY tenant, type, cell`,
      allParams,
    ),
  ])
  return new Map(
    cells.map((cell) => {
      const name = cellName(cell)
      const proof: CellProof = {
        ledger: ledger.get(name)?.set ?? none,
        raw: raw.get(name)?.set ?? none,
        marks: ledger.get(name)?.marks ?? none,
        corrections: corrections.get(name)?.set ?? none,
      }
      return [name, proof]
    }),
  )
}

const marked = 'supersedes = 1'

const zipped = (third: string): string =>
  `arrayZip({tenants:Array(String)}, {types:Array(String)}, {${third}})`

type Row = {
  tenant: string
  type: string
  cell: number
  count: string
  hash: string
  marks?: string
  marksHash?: string
}

async function readSets(
  clickHouse: ClickHouse,
  sql: string,
  params: Readonly<Record<string, unknown>>,
): Promise<Map<string, { set: EventSet; marks: EventSet }>> {
  const rows = await clickHouse.query<Row>(sql, params, { timeoutMs: 600_000 })
  return new Map(
    rows.map(({ tenant, type, cell, count, hash, marks = '0', marksHash = '0' }) => [
      cellName({ tenant, type, hour: cell }),
      {
        set: { count: BigInt(count), hash: BigInt(hash) },
        marks: { count: BigInt(marks), hash: BigInt(marksHash) },
      },
    ]),
  )
}
