import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { advanceFees } from '../invoicing/advance.ts'
import type { DueInvoice } from '../invoicing/due-invoice.ts'
import { periodFrom, type Window } from '../invoicing/periods.ts'
import { type BilledSubscription, inZoneAt, planOf } from '../invoicing/subscription.ts'
import { pricesUntil, usageNeeds } from '../invoicing/usage-needs.ts'
import { phasesWithin } from '../subscriptions/timeline.ts'

/** More than thirteen years of days: only a start that was mistyped has more. */
const maxPeriods = 5000

/**
 * The invoices that are due by an instant and not claimed, oldest first: the start's, if something is asked for in
 * advance, and those of the periods that have ended. The first period begins with the subscription and the last one ends
 * with it. What rests on usage or arrears waits for the grace, too.
 */
export function dueInvoices(
  subscription: BilledSubscription,
  until: Micros1970,
  graceMicros: number,
): DueInvoice[] {
  const due: DueInvoice[] = []
  const { billedUntil, isStartBilled, timeline } = subscription
  if (billedUntil === undefined && !isStartBilled && timeline.start <= until) {
    const zoned = inZoneAt(subscription, timeline.start)
    const first = periodFrom(zoned, timeline.start)
    if (first && advanceFees(zoned, timeline.start).length > 0) due.push(startInvoice(zoned, first))
  }
  let start = billedUntil ?? timeline.start
  while (due.length < maxPeriods) {
    const zoned = inZoneAt(subscription, start)
    const period = periodFrom(zoned, start)
    if (!period || period.served.end > until) break
    const next = {
      subscription: zoned,
      kind: 'recurring' as const,
      period: period.served,
      whole: period.whole,
    }
    if (waitsForUsage(next) && period.served.end + graceMicros > until) break
    due.push(next)
    start = period.served.end
  }
  return due
}

/** The invoice of a subscription’s start: of its first interval’s rest, whatever end is known or comes later. */
export const startInvoice = (
  subscription: BilledSubscription,
  { served: { start }, whole }: Window,
): DueInvoice => ({ subscription, kind: 'advance', period: { start, end: whole.end }, whole })

/** Whether an invoice has more than fees in advance to settle: those are known at the boundary and wait for no watermark. */
export function waitsForUsage({ subscription, kind, period }: DueInvoice): boolean {
  if (kind === 'advance') return false
  const phases = phasesWithin(subscription.timeline, { from: period.start, to: period.end })
  return (
    pricesUntil(subscription, period).some(({ role }) => role !== 'advance') ||
    phases.some((phase) => {
      const { minimum, maximum } = planOf(subscription, phase).plan
      return minimum !== undefined || maximum !== undefined
    })
  )
}

/** The instant at which an invoice becomes due, without the grace. */
export const dueFrom = ({ kind, period }: DueInvoice): Micros1970 =>
  kind === 'advance' ? period.start : period.end

/** The whole time that an invoice’s usage is read of: its period, or more where a price has a longer interval. */
export function readingOf({ subscription, kind, period, whole }: DueInvoice): BillingPeriod {
  if (kind === 'advance') return period
  const windows = usageNeeds(subscription, { served: period, whole }).flatMap((need) => need.windows)
  return windows.reduce(
    (hull, { start, end }) => ({ start: Math.min(hull.start, start), end: Math.max(hull.end, end) }),
    period,
  )
}

export type DueGroup = {
  /** What is read for all of them. */
  readonly reading: BillingPeriod
  readonly dueFrom: Micros1970
  readonly waitsForUsage: boolean
  readonly due: readonly DueInvoice[]
}

/** Due invoices whose usage is read together, the earliest first: of one subscription they stay in their order. */
export function groupDue(due: readonly DueInvoice[]): DueGroup[] {
  const groups = Map.groupBy(due, (each) => {
    const { start, end } = readingOf(each)
    return `${dueFrom(each)} ${start} ${end} ${waitsForUsage(each)}`
  })
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group
      if (!first) return []
      return [
        {
          reading: readingOf(first),
          dueFrom: dueFrom(first),
          waitsForUsage: waitsForUsage(first),
          due: group,
        },
      ]
    })
    .sort((a, b) => a.dueFrom - b.dueFrom || a.reading.start - b.reading.start)
}
