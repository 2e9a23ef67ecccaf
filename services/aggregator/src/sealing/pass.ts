import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { type Cut, cutPosition, formatCut, reaches, sealVersion } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { rangesBetween } from '../usage/cut-range.ts'
import { processedUntil, type Watermarks } from '../usage/watermarks.ts'
import { type Cell, cellName, distinctCells, hourEnd } from './cell.ts'
import { readFilledCells, readTouchedCells } from './dirty-cells.ts'
import { proveContiguous } from './ledger-proof.ts'
import { type MeterId, readLastPass, type SealingPass, writePass } from './pass-store.ts'
import type { Patience } from './patience.ts'
import { sealCells } from './seal-cells.ts'

/** Raised whenever the same events would give other rows: then everything is sealed anew. */
export const rollupVersion = 2

export type PassSources = {
  readonly clickHouse: ClickHouse
  readonly log: Log
  readonly patience: Patience
  readonly nowMs: () => number
  readMeters(): Promise<readonly MeterVersion[]>
  readWatermarks(): Promise<Watermarks>
}

export type PassReport = {
  readonly sealedCells: number
  /** Cells whose raw events are not those of the ledger. */
  readonly unprovedCells: number
  /** Left for later: hours that are not over, that still change, or that could not be proved. */
  readonly dirtyCells: number
  /** Those of them whose hour is over: backlogs, late events, and meters that are being filled. */
  readonly waitingCells: number
  /** More is due than one pass takes. */
  readonly hasMore: boolean
}

/** So that a pass after an outage, or for a new meter, ends in sensible time and its work is not lost. */
const cellsPerPass = 2_000
/** What readers and the next pass look through beyond the last pass, at most, before a pass is written for that alone. */
const offsetsBetweenPasses = 100_000n

/**
 * One pass of design §5 "Sealing": seals every cell that is over, settled and proved, as of one cut. Rows first, then
 * their seals, then the pass, so that a crash in between leaves nothing that a reader takes; the next pass does it again.
 * @throws Failure `ledger_gap` and others after which nothing has been published
 */
export async function runPass(sources: PassSources): Promise<PassReport> {
  const { clickHouse, patience } = sources
  const last = await readBase(clickHouse)
  const { cut, ...watermarks } = await sources.readWatermarks()
  checkOrder(last, cut)
  const meters = await sources.readMeters()
  const ranges = rangesBetween(last?.cut ?? [], cut)
  await proveContiguous(clickHouse, ranges)

  const newMeters = meters.filter((meter) => !last?.meters.some((known) => isSame(known, meter)))
  const touched = last ? await readTouchedCells(clickHouse, ranges) : []
  const filling = await readFilledCells(clickHouse, typesOf(newMeters), cut)
  const metersOf = byType(meters)
  const dirty = distinctCells([...(last?.dirty ?? []), ...touched, ...filling]).filter(
    (cell) => metersOf(cell).length > 0,
  )

  const until = processedUntil({ cut, ...watermarks })
  const due = dueCells(sources, dirty, touched, last, until)
  const chosen = due.slice(0, cellsPerPass)
  const version = sealVersion(rollupVersion, cut)
  const { sealed, unproved } = await sealCells(sources, chosen, metersOf, cut, version)
  for (const cell of unproved) patience.postpone(cell, sources.nowMs())

  const done = new Set(sealed.map(cellName))
  const left = dirty.filter((cell) => !done.has(cellName(cell)))
  patience.keep(left)
  if (isWorthAPass(last, cut, sealed, newMeters))
    await writePass(clickHouse, { sealVersion: version, cut, meters, dirty: left })
  return {
    sealedCells: sealed.length,
    unprovedCells: unproved.length,
    dirtyCells: left.length,
    waitingCells: left.filter((cell) => hourEnd(cell) <= until).length,
    hasMore: due.length > chosen.length,
  }
}

/** Where to go on; undefined: from the beginning, as after a change of the rollup code. */
async function readBase(clickHouse: ClickHouse): Promise<SealingPass | undefined> {
  const last = await readLastPass(clickHouse)
  if (last === undefined) return undefined
  const writtenBy = Number(last.sealVersion >> 192n)
  if (writtenBy > rollupVersion)
    throw new Failure(
      `Hours are sealed by rollup version ${writtenBy}; this process knows ${rollupVersion}`,
      {
        code: 'rollup_outdated',
        retryable: false,
      },
    )
  return writtenBy === rollupVersion ? last : undefined
}

function checkOrder(last: SealingPass | undefined, cut: Cut): void {
  if (last === undefined || reaches(cut, last.cut)) return
  throw new Failure(
    `The watermarks (${formatCut(cut)}) lie behind the last pass (${formatCut(last.cut)}): tables have been lost or mixed up`,
    { code: 'watermark_behind_seals', retryable: false },
  )
}

/** Cells whose hour is over everywhere and that have settled, in order. */
function dueCells(
  { patience, nowMs }: PassSources,
  dirty: readonly Cell[],
  touched: readonly (Cell & { events: number })[],
  last: SealingPass | undefined,
  until: number,
): Cell[] {
  const changes = new Map(
    touched.map((cell) => [cellName(cell), `${last?.sealVersion}/${cell.events}`] as const),
  )
  const now = nowMs()
  return dirty
    .filter((cell) => hourEnd(cell) <= until)
    .filter((cell) => patience.isDue(cell, changes.get(cellName(cell)), now))
}

const isSame = (a: MeterId, b: MeterId): boolean =>
  a.tenant === b.tenant && a.key === b.key && a.version === b.version

function byType(meters: readonly MeterVersion[]): (cell: Cell) => readonly MeterVersion[] {
  const groups = Map.groupBy(meters, ({ tenant, eventType }) => `${tenant}/${eventType}`)
  return ({ tenant, type }) => groups.get(`${tenant}/${type}`) ?? []
}

const typesOf = (meters: readonly MeterVersion[]): Pick<Cell, 'tenant' | 'type'>[] => [
  ...new Map(
    meters.map(({ tenant, eventType: type }) => [`${tenant}/${type}`, { tenant, type }] as const),
  ).values(),
]

function isWorthAPass(
  last: SealingPass | undefined,
  cut: Cut,
  sealed: readonly Cell[],
  newMeters: readonly MeterVersion[],
): boolean {
  if (cut.length === 0) return false
  if (last === undefined || sealed.length > 0 || newMeters.length > 0) return true
  return cutPosition(cut) - cutPosition(last.cut) > offsetsBetweenPasses
}
