import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Mapping } from '../catalogue/known.ts'
import type { TypeTotal } from './ledger-equality.ts'
import { combine, noReadings, type Readings } from './readings.ts'
import { CloseStopped } from './stop.ts'

/** Events of one subject in one segment of time that a meter counts, or does not, told apart by some dimensions. */
export type UsageCell = {
  readonly subject: string
  readonly segment: number
  readonly matched: boolean
  /** In the order of the dimensions that were asked for. */
  readonly values: readonly string[]
  readonly count: bigint
  readonly hash: bigint
  /** Events whose value is no quantity: counted, never taken as zero. */
  readonly unreadable: bigint
  readonly readings: Readings
}

/** What a meter makes of the events of one invoice; the hash is a sum modulo 2^128. */
export type MeteredUsage = Omit<UsageCell, 'subject' | 'segment' | 'matched' | 'values'>

export const noUsage: MeteredUsage = { count: 0n, hash: 0n, unreadable: 0n, readings: noReadings }

export const addUsage = (a: MeteredUsage, b: MeteredUsage): MeteredUsage => ({
  count: a.count + b.count,
  hash: BigInt.asUintN(128, a.hash + b.hash),
  unreadable: a.unreadable + b.unreadable,
  readings: combine(a.readings, b.readings),
})

/** The part of a mapping that lies in the period; undefined when none does. */
export function clip(mapping: Mapping, { start, end }: BillingPeriod): Mapping | undefined {
  const from = Math.max(mapping.from, start)
  const to = Math.min(mapping.to, end)
  return from < to ? { ...mapping, from, to } : undefined
}

/** Mappings clipped to the period, in one order for one set. */
export const clipAll = (mappings: readonly Mapping[], period: BillingPeriod): Mapping[] =>
  mappings
    .flatMap((mapping) => clip(mapping, period) ?? [])
    .sort((a, b) => (a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : a.from - b.from))

/** The instants at which usage must be told apart, so that every mapping is a run of whole segments. */
export const boundsOf = (mappings: readonly Mapping[], { start, end }: BillingPeriod): Micros1970[] =>
  [...new Set([start, end, ...mappings.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b)

/** Cells of one meter by subject, with the bounds that they were read with. */
export type UsageIndex = {
  readonly bounds: readonly Micros1970[]
  /** Names of the cells' values. */
  readonly dimensions: readonly string[]
  readonly bySubject: ReadonlyMap<string, readonly UsageCell[]>
}

export const indexUsage = (
  cells: readonly UsageCell[],
  bounds: readonly Micros1970[],
  dimensions: readonly string[] = [],
): UsageIndex => ({
  bounds,
  dimensions,
  bySubject: Map.groupBy(
    cells.filter(({ matched }) => matched),
    ({ subject }) => subject,
  ),
})

/** The cells that the mappings, already clipped, consist of. */
export const cellsOf = (mappings: readonly Mapping[], { bounds, bySubject }: UsageIndex): UsageCell[] =>
  mappings.flatMap(({ subject, from, to }) => {
    const first = bounds.indexOf(from) + 1
    const beyond = bounds.indexOf(to) + 1
    return (bySubject.get(subject) ?? []).filter(({ segment }) => segment >= first && segment < beyond)
  })

export const sumOf = (cells: readonly UsageCell[]): MeteredUsage =>
  cells.reduce<MeteredUsage>(addUsage, noUsage)

/**
 * Mapped, unmapped and not counted together are all that the ledger accepted: no event is dropped between the ledger
 * and an invoice by the way in which usage is read.
 * @throws CloseStopped `usage_incomplete`
 */
export function checkAllRead(
  type: string,
  cells: readonly UsageCell[],
  ledger: TypeTotal = { count: 0n, hash: 0n },
): void {
  const read = sumOf(cells)
  if (read.count === ledger.count && read.hash === ledger.hash) return
  throw new CloseStopped(
    `${read.count} events of type "${type}" were read for billing, but the ledger accepted ${ledger.count}: nothing of this period is closed.`,
    'usage_incomplete',
    { type, read: `${read.count}`, accepted: `${ledger.count}` },
  )
}

/**
 * A subject that is read a second time, told apart at other instants, comes to what the proved reading says of it.
 * @throws CloseStopped `usage_incomplete`
 */
export function checkReadAgain(
  subject: string,
  { start, end }: BillingPeriod,
  proved: UsageIndex,
  again: UsageIndex,
): void {
  const whole = [{ subject, customer: '', from: start, to: end }]
  const first = sumOf(cellsOf(whole, proved))
  const second = sumOf(cellsOf(whole, again))
  if (first.count === second.count && first.hash === second.hash) return
  throw new CloseStopped(
    `${second.count} events of subject "${subject}" were read for billing where ${first.count} were proved: nothing of this period is closed.`,
    'usage_incomplete',
    { subject, read: `${second.count}`, accepted: `${first.count}` },
  )
}
