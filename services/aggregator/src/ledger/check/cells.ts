import { eventHash } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { cellName } from '../../sealing/cell.ts'
import { counted } from '../../sealing/dirty-cells.ts'
import { copyHash, copyTable } from '../copy-rows.ts'
import { addRows, type SumRow } from './copies.ts'
import { type DaySlice, dayParams, ofDays } from './day-slices.ts'
import type { CellName, Difference } from './difference.ts'
import { judgeCell } from './raw-judge.ts'
import {
  belowCut,
  type CheckScope,
  type CheckSources,
  gently,
  hourConditions,
  offsetsPerSlice,
  type SliceSums,
  scopeParams,
  sliceTimeout,
} from './scope.ts'

export type CellTotals = { raw: bigint; cells: bigint }

type CellRow = { tenant: string; type: string; cell: number; events: string; hash: string }

/**
 * Holds the raw events of some days against the copy by cell, cell by cell, by count and hash, and adds up what the copy
 * holds. A cell that differs is read row by row, and the ledger itself says who is right.
 */
export async function checkDays(
  sources: CheckSources,
  scope: CheckScope,
  { days }: DaySlice,
  copy: SliceSums,
  totals: CellTotals,
): Promise<Difference[]> {
  const { clickHouse } = sources
  const cut = belowCut(scope)
  const params = { ...cut.params, ...dayParams(days), ...scopeParams(scope) }
  const inCopy = [ofDays('toDate(hour)'), cut.sql, ...hourConditions(scope, 'hour')].join(' AND ')
  const inRaw = [ofDays('toDate(time)'), cut.sql, ...hourConditions(scope, 'toStartOfHour(time)')].join(
    ' AND ',
  )
  const cellsOf = (table: string, hour: string, where: string) =>
    clickHouse.query<CellRow>(
      `SELECT tenant, type, toUnixTimestamp(${hour}) AS cell, toString(count()) AS events, toString(${eventHash}) AS hash
       FROM ${table} FINAL WHERE ${where} GROUP BY tenant, type, cell ${gently}`,
      params,
      sliceTimeout,
    )
  const said = await cellsOf('usage_ledger_by_cell', 'hour', `${inCopy} AND ${counted}`)
  const raw = await cellsOf('usage_events', 'toStartOfHour(time)', inRaw)
  const sums = await clickHouse.query<SumRow>(
    `SELECT log, partition, toString(intDiv(offset, ${offsetsPerSlice})) AS slice,
       toString(count()) AS rows, toString(sum(${copyHash(copyTable('cell_copy'))})) AS hash
     FROM usage_ledger_by_cell FINAL WHERE ${inCopy} GROUP BY log, partition, slice ${gently}`,
    params,
    sliceTimeout,
  )
  addRows(copy, sums)
  totals.cells += BigInt(said.length)
  for (const { events } of raw) totals.raw += BigInt(events)
  const differences: Difference[] = []
  for (const cell of differingCells(said, raw)) differences.push(...(await judgeCell(sources, scope, cell)))
  return differences
}

function differingCells(said: readonly CellRow[], raw: readonly CellRow[]): CellName[] {
  const nameOf = (row: CellRow) => cellName({ tenant: row.tenant, type: row.type, hour: row.cell })
  const held = new Map(raw.map((row) => [nameOf(row), row]))
  const known = new Set(said.map(nameOf))
  const unequal = said.filter((row) => {
    const other = held.get(nameOf(row))
    return other === undefined || other.events !== row.events || other.hash !== row.hash
  })
  const unknown = raw.filter((row) => !known.has(nameOf(row)))
  return [...unequal, ...unknown].map(({ tenant, type, cell }) => ({ tenant, type, hour: cell }))
}
