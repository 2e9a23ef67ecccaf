import { microsPerHour } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Hour } from '../usage/hour-plan.ts'

/** Events of one type in one hour of one tenant: what is sealed, or stays dirty, as a whole. */
export type Cell = { readonly tenant: string; readonly type: string; readonly hour: Hour }

export const cellName = ({ tenant, type, hour }: Cell): string => `${tenant}/${hour}/${type}`

export const hourEnd = ({ hour }: Cell): number => hour * 1_000_000 + microsPerHour

/** The same cells, each once, in one order whatever order they come in. */
export function distinctCells(cells: readonly Cell[]): Cell[] {
  const byName = new Map(cells.map((cell) => [cellName(cell), cell]))
  return [...byName.values()].sort(compareCells)
}

function compareCells(a: Cell, b: Cell): number {
  if (a.tenant !== b.tenant) return a.tenant < b.tenant ? -1 : 1
  if (a.type !== b.type) return a.type < b.type ? -1 : 1
  return a.hour - b.hour
}

/** Cells of one tenant and type on one day, with every meter that counts them: what one SELECT seals. */
export type Slice = {
  readonly tenant: string
  readonly type: string
  readonly day: string
  readonly hours: readonly Hour[]
  readonly meters: readonly MeterVersion[]
}

/** Parameters for `(tenant, type, hour) IN arrayZip(...)`: three lists, as tuples have no form of their own there. */
export function cellParams(cells: readonly Cell[]) {
  return {
    tenants: cells.map(({ tenant }) => tenant),
    types: cells.map(({ type }) => type),
    hours: cells.map(({ hour }) => hour),
    days: cells.map(({ hour }) => dayOf(hour)),
  }
}

export const dayOf = (hour: Hour): string => new Date(hour * 1000).toISOString().slice(0, 10)

export function slicesOf(cells: readonly Cell[], metersOf: (cell: Cell) => readonly MeterVersion[]): Slice[] {
  const groups = Map.groupBy(cells, ({ tenant, type, hour }) => `${tenant}/${dayOf(hour)}/${type}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { tenant, type, hour } = first
    return [
      { tenant, type, day: dayOf(hour), hours: group.map((cell) => cell.hour), meters: metersOf(first) },
    ]
  })
}
