import type { Cut } from '@tidemark/schemas/cut.ts'
import { type CopyKind, copyTables } from '../copy-rows.ts'
import { checkDays } from './cells.ts'
import {
  differingSlices,
  findCopyDifferences,
  findTenantNumber,
  readIdentityRanges,
  sumCorrections,
  sumIdentities,
} from './copies.ts'
import { readDaySlices } from './day-slices.ts'
import { type Difference, difference } from './difference.ts'
import { checkLedgerSlice, emptyLedgerSums, offsetSlices, type VerdictCounts } from './ledger-slices.ts'
import { checkPayloads } from './payloads.ts'
import { judgePlaces } from './raw-judge.ts'
import type { CheckScope, CheckSources, SliceSums } from './scope.ts'
import { checkSealedHours, type SealedSources } from './sealed-hours.ts'

export type CheckTotals = {
  readonly cut: Cut
  /** Rows of the ledger, each offset once, and offsets recorded as lost. */
  offsets: bigint
  lost: bigint
  verdicts: VerdictCounts
  /** Raw events that the ledger's verdicts ask for, and those that are there. */
  expectedRaw: bigint
  raw: bigint
  cells: bigint
  sealedHours: bigint
  /** Hours sealed by other rollup code, or whose meter is gone: nothing to compare them with. */
  sealedOtherwise: bigint
}

/** After each slice. Slices that differ have already been read row by row. */
export type CheckStep = {
  readonly part: 'ledger' | 'look-up copies' | 'raw events' | 'sealed hours'
  readonly done: number
  /** Undefined while it is not known how much there is. */
  readonly of: number | undefined
  readonly differences: readonly Difference[]
}

/** Slices read row by row: where more of them differ, the first tell enough. */
const mostReadAgain = 20

/**
 * The whole proof, slice by slice and in bounded memory: the ledger has no gap, its copies and the raw events are what it
 * says, each raw event hashes to what was accepted, and sealed hours are what their raw events give. It only reads.
 */
export async function* checkLedger(
  sources: CheckSources & SealedSources,
  scope: CheckScope,
  totals: CheckTotals,
): AsyncGenerator<CheckStep> {
  const sums = emptyLedgerSums()
  const slices = offsetSlices(scope)
  for (const [index, slice] of slices.entries()) {
    const differences = await checkLedgerSlice(sources, scope, slice, sums)
    Object.assign(totals, {
      offsets: sums.offsets,
      lost: sums.lost,
      verdicts: sums.verdicts,
      expectedRaw: sums.raw,
    })
    yield { part: 'ledger', done: index + 1, of: slices.length, differences }
  }

  const tenantNumber = scope.tenant === undefined ? undefined : await findTenantNumber(sources, scope.tenant)
  const held: Record<CopyKind, SliceSums> = {
    identity_copy: new Map(),
    cell_copy: new Map(),
    corrections: new Map(),
  }
  const ranges = await readIdentityRanges(sources, tenantNumber)
  for (const [index, range] of ranges.entries()) {
    await sumIdentities(sources, scope, range, tenantNumber, held.identity_copy)
    yield { part: 'look-up copies', done: index + 1, of: ranges.length, differences: [] }
  }
  await sumCorrections(sources, scope, held.corrections)

  let days = 0
  for await (const slice of readDaySlices(sources, scope)) {
    const differences = await checkDays(sources, scope, slice, held.cell_copy, totals)
    if (scope.payloads) differences.push(...(await checkPayloads(sources, scope, slice)))
    days += 1
    yield { part: 'raw events', done: days, of: undefined, differences }
  }
  // Of a tenant that the ledger does not know, nothing of the copy by identity can be told to be its own.
  const isKnown = scope.tenant === undefined || tenantNumber !== undefined
  for (const { kind } of copyTables)
    if (isKnown || kind !== 'identity_copy')
      yield* compareCopy(sources, scope, kind, sums.copies[kind], held[kind], tenantNumber)

  let batches = 0
  for await (const differences of checkSealedHours(sources, scope, totals)) {
    batches += 1
    yield { part: 'sealed hours', done: batches, of: undefined, differences }
  }
}

export const emptyTotals = (cut: Cut): CheckTotals => ({
  cut,
  offsets: 0n,
  lost: 0n,
  verdicts: emptyLedgerSums().verdicts,
  expectedRaw: 0n,
  raw: 0n,
  cells: 0n,
  sealedHours: 0n,
  sealedOtherwise: 0n,
})

async function* compareCopy(
  sources: CheckSources,
  scope: CheckScope,
  kind: CopyKind,
  ledger: SliceSums,
  copy: SliceSums,
  tenantNumber: string | undefined,
): AsyncGenerator<CheckStep> {
  const differing = differingSlices(ledger, copy)
  for (const [index, slice] of differing.slice(0, mostReadAgain).entries()) {
    const found = await findCopyDifferences(sources, scope, kind, slice, tenantNumber)
    const differences = found.map(({ place, fault }) => difference.copy(kind, place, fault))
    if (kind === 'cell_copy')
      differences.push(
        ...(await judgePlaces(
          sources,
          found.map(({ place }) => place),
        )),
      )
    yield { part: 'look-up copies', done: index + 1, of: differing.length, differences }
  }
}
