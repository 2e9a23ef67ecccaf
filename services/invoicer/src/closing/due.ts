import { type BillingPeriod, monthlyPeriodAt } from '@tidemark/schemas/billing-period.ts'
import type { Plan } from '@tidemark/schemas/catalogue.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Mapping } from '../catalogue/known.ts'

export type PlanVersion = {
  readonly id: string
  readonly version: number
  readonly sha256: string
  readonly plan: Plan
}

/** A subscription with all that its invoices are made of, except the usage. */
export type BilledSubscription = {
  readonly key: string
  readonly customer: string
  readonly timeZone: string
  readonly plan: PlanVersion
  readonly anchorDay: number
  readonly startedAt: Micros1970
  /** Infinity while it goes on. */
  readonly endedAt: Micros1970
  /** End of its last claimed period. */
  readonly billedUntil: Micros1970 | undefined
  readonly mappings: readonly Mapping[]
}

export type DuePeriod = { readonly subscription: BilledSubscription; readonly period: BillingPeriod }

/** More than eighty years of months: only a start that was mistyped has more. */
const maxPeriods = 1000

/**
 * The periods that have ended by then (grace included) and are not claimed, oldest first. The first one begins with the
 * subscription and the last one ends with it; between them they follow the anchor day in the customer's zone.
 */
export function duePeriods(subscription: BilledSubscription, endedBy: Micros1970): DuePeriod[] {
  const due: DuePeriod[] = []
  let start = subscription.billedUntil ?? subscription.startedAt
  while (start < subscription.endedAt && due.length < maxPeriods) {
    const whole = monthlyPeriodAt(start, subscription.anchorDay, subscription.timeZone)
    const end = Math.min(whole.end, subscription.endedAt)
    if (end > endedBy) break
    due.push({ subscription, period: { start, end } })
    start = end
  }
  return due
}

/** Due periods with the same start and end, earliest end first: what is closed together. */
export function groupByPeriod(due: readonly DuePeriod[]): { period: BillingPeriod; due: DuePeriod[] }[] {
  const groups = Map.groupBy(due, ({ period }) => `${period.start} ${period.end}`)
  return [...groups.values()]
    .flatMap((group) => (group[0] ? [{ period: group[0].period, due: group }] : []))
    .sort((a, b) => a.period.end - b.period.end || a.period.start - b.period.start)
}
