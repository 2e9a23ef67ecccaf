import { formatCut } from '@tidemark/schemas/cut.ts'
import type { CheckTotals } from './check.ts'
import type { Difference, DifferenceKind } from './difference.ts'

/** What a check found, in bounded memory: all of it counted, the first of each kind kept. */
export type CheckReport = {
  readonly counts: ReadonlyMap<DifferenceKind, number>
  readonly first: readonly Difference[]
  add(differences: readonly Difference[]): void
  total(): number
}

export function createCheckReport(keptPerKind: number): CheckReport {
  const counts = new Map<DifferenceKind, number>()
  const kept = new Map<DifferenceKind, number>()
  const first: Difference[] = []
  return {
    counts,
    first,
    add(differences) {
      for (const each of differences) {
        counts.set(each.kind, (counts.get(each.kind) ?? 0) + each.count)
        const held = kept.get(each.kind) ?? 0
        if (held >= keptPerKind) continue
        kept.set(each.kind, held + 1)
        first.push(each)
      }
    },
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
  }
}

const number = (value: bigint | number): string => value.toLocaleString('en-US')

/** The counts, as lines for a person. */
export function totalLines(totals: CheckTotals): string[] {
  const { verdicts: v } = totals
  const said = v.accepted + v.duplicate + v.conflict + v.correction + v.rejected
  return [
    `up to       ${formatCut(totals.cut) || 'nothing: there is no watermark yet'}`,
    `ledger      ${number(totals.offsets)} offsets, ${number(totals.lost)} recorded as lost`,
    `verdicts    ${number(said)} = ${number(v.accepted)} accepted + ${number(v.duplicate)} duplicates + ` +
      `${number(v.conflict)} conflicts + ${number(v.correction)} corrections + ${number(v.rejected)} rejected`,
    `raw events  ${number(totals.raw)} of ${number(totals.expectedRaw)} that the ledger asks for, in ${number(totals.cells)} cells`,
    `sealed      ${number(totals.sealedHours)} hours recomputed` +
      (totals.sealedOtherwise === 0n
        ? ''
        : `, ${number(totals.sealedOtherwise)} sealed by another version of the code and not compared`),
  ]
}

/** What differs, as lines for a person: a count per kind, then the first ones with what to do. */
export function differenceLines(report: CheckReport): string[] {
  if (report.total() === 0) return ['No differences.']
  const counts = [...report.counts].map(([kind, count]) => `${kind} ${number(count)}`)
  return [
    `${number(report.total())} differences: ${counts.join(', ')}`,
    ...report.first.flatMap(({ kind, text, remedy }) => [`  ${kind}: ${text}`, `    → ${remedy}`]),
  ]
}
