import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { type Cell, cellName, slicesOf } from './cell.ts'
import { type CellProof, isProved, proveCells } from './cell-proof.ts'
import { writeHours } from './hourly-rows.ts'
import { writeSeals } from './seals.ts'

/** What one statement of proof reads, and the parameters that it carries, stay within bounds. */
const cellsPerBatch = 240
/** Cells times their meters: rows that a batch publishes. */
const sealsPerBatch = 1_200

export type SealedCells = { readonly sealed: readonly Cell[]; readonly unproved: readonly Cell[] }

/** Seals the cells whose raw events and corrections are exactly those of the ledger, batch by batch, cells in order. */
export async function sealCells(
  { clickHouse, log }: { clickHouse: ClickHouse; log: Log },
  cells: readonly Cell[],
  metersOf: (cell: Cell) => readonly MeterVersion[],
  cut: Cut,
  sealVersion: bigint,
): Promise<SealedCells> {
  const sealed: Cell[] = []
  const unproved: Cell[] = []
  const batches = batchesOf(cells, metersOf)
  const prove = (at: number) => {
    const batch = batches[at]
    const proving = batch === undefined ? undefined : proveCells(clickHouse, batch, cut)
    // Told when its turn comes; until then the batch before it may fail.
    proving?.catch(() => {})
    return proving
  }
  let next = prove(0)
  for (const [at, batch] of batches.entries()) {
    const proofs = (await next) ?? new Map<string, CellProof>()
    // One is proved while the other is written, so that no processor of the server waits for the end of a statement.
    next = prove(at + 1)
    const proofOf = (cell: Cell): CellProof | undefined => proofs.get(cellName(cell))
    const proved = batch.filter((cell) => {
      const proof = proofOf(cell)
      return proof !== undefined && isProved(proof)
    })
    const failed = batch.filter((cell) => !proved.includes(cell))
    for (const cell of failed) warn(log, cell, proofOf(cell))
    const slices = slicesOf(proved, metersOf)
    if (slices.length > 0) {
      await writeHours(clickHouse, slices, cut, sealVersion)
      await writeSeals(clickHouse, slices, proofs, cut, sealVersion)
    }
    sealed.push(...proved)
    unproved.push(...failed)
  }
  return { sealed, unproved }
}

function batchesOf(cells: readonly Cell[], metersOf: (cell: Cell) => readonly MeterVersion[]): Cell[][] {
  const batches: Cell[][] = []
  let seals = sealsPerBatch
  for (const cell of cells) {
    const more = metersOf(cell).length
    const batch = batches.at(-1)
    if (batch === undefined || batch.length === cellsPerBatch || seals + more > sealsPerBatch) {
      batches.push([cell])
      seals = more
    } else {
      batch.push(cell)
      seals += more
    }
  }
  return batches
}

function warn(log: Log, { tenant, type, hour }: Cell, proof: CellProof | undefined): void {
  log.warn(
    {
      tenant,
      type,
      hour: new Date(hour * 1000).toISOString(),
      ledgerEvents: proof?.ledger.count.toString(),
      rawEvents: proof?.raw.count.toString(),
      ledgerCorrections: proof?.marks.count.toString(),
      corrections: proof?.corrections.count.toString(),
    },
    'An hour stays unsealed: its raw events, or what supersedes them, are not those of the ledger',
  )
}
