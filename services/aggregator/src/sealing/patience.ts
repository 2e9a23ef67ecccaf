import { type Cell, cellName } from './cell.ts'

export type PatienceOptions = {
  /** A cell is sealed when no event has come for it for so long, … */
  readonly quietMs: number
  /** … or when it has waited for so long, whatever comes. */
  readonly mostMs: number
  /** How long a cell that could not be proved is left alone. */
  readonly retryMs: number
}

/**
 * While a backlog or a backfill streams in, its hours change with every batch: sealing them each time would recompute
 * the same events again and again. Waiting changes nothing but speed, for a dirty cell is read raw. It is kept in
 * memory only; a new process waits a little longer.
 */
export type Patience = {
  /** @param change something that differs when the cell has got events since it was asked last; undefined: none */
  isDue(cell: Cell, change: string | undefined, nowMs: number): boolean
  postpone(cell: Cell, nowMs: number): void
  /** Forgets every cell but those that are dirty. */
  keep(cells: readonly Cell[]): void
}

type Waiting = { sinceMs: number; changedMs: number; change: string | undefined; notBeforeMs: number }

export function createPatience({ quietMs, mostMs, retryMs }: PatienceOptions): Patience {
  const waiting = new Map<string, Waiting>()

  return {
    isDue(cell, change, nowMs) {
      const name = cellName(cell)
      const known = waiting.get(name)
      const state = known ?? { sinceMs: nowMs, changedMs: 0, change: undefined, notBeforeMs: 0 }
      if (change !== undefined && change !== state.change) state.changedMs = nowMs
      state.change = change
      waiting.set(name, state)
      if (nowMs < state.notBeforeMs) return false
      return nowMs - state.changedMs >= quietMs || nowMs - state.sinceMs >= mostMs
    },
    postpone(cell, nowMs) {
      const state = waiting.get(cellName(cell))
      if (state) state.notBeforeMs = nowMs + retryMs
    },
    keep(cells) {
      const dirty = new Set(cells.map(cellName))
      for (const name of waiting.keys()) if (!dirty.has(name)) waiting.delete(name)
    },
  }
}
