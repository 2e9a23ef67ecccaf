import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { dayOf, type LocalDate, localDateOf } from '@tidemark/schemas/local-date.ts'
import { wholePeriodAt } from './situation.ts'
import { stateAt } from './states.ts'
import {
  isInAdvance,
  type PriceLists,
  pricesOfPhase,
  type Subscription,
  situationOf,
} from './subscription.ts'
import { type Phase, phaseAt, type Timeline } from './timeline.ts'

const instantOrNull = (instant: Micros1970): string | null =>
  Number.isFinite(instant) ? formatInstant(instant) : null

/** A subscription as answers, events and the audit log show it; the same at every reading but for what time changes. */
export function showSubscription(
  subscription: Subscription,
  lists: PriceLists,
  now: Micros1970,
): { [field: string]: Json } {
  const { key, customer, source, billingMode, revision, timeline, billedUntil, coupons } = subscription
  const { start, end, anchor, phases, beyond = [] } = timeline
  const current = phaseAt(timeline, now) ?? (now < start ? phases[0] : phases.at(-1)) ?? beyond[0]
  return {
    key,
    customer,
    state: stateAt(timeline, now),
    ...(current ? showTerms(current) : {}),
    start: formatInstant(start),
    end: instantOrNull(end),
    anchorDate: anchor.date,
    anchorDay: anchor.day ?? dayOf(anchor.date),
    alignment: anchor.alignment ?? 'anchor',
    trialEnd: instantOrNull(phases.findLast(({ status }) => status === 'trial')?.to ?? Infinity),
    nextBillingDate: nextBillingDate(subscription, lists, now) ?? null,
    billedUntil: instantOrNull(billedUntil ?? Infinity),
    source,
    billingMode,
    coupons: coupons.map(({ coupon, from, to }) => ({
      coupon,
      from: formatInstant(from),
      to: instantOrNull(to),
    })),
    phases: showPhases(timeline),
    revision: Number(revision),
  }
}

const showPhases = ({ phases }: Timeline): Json =>
  phases.map((phase) => ({
    from: formatInstant(phase.from),
    to: instantOrNull(phase.to),
    status: phase.status,
    ...showTerms(phase),
  }))

const showTerms = ({ plan, planVersion, quantity, addOns }: Phase): { [field: string]: Json } => ({
  plan,
  planVersion,
  quantity: formatDecimal(quantity),
  addOns: addOns.map((addOn) => ({ ...addOn, quantity: formatDecimal(addOn.quantity) })),
})

/**
 * The customer's date on which the next invoice is due: the end of the first period that is not billed, or the start while
 * fees in advance wait for it. In the past when closes have been missed; undefined when nothing is left to bill.
 */
export function nextBillingDate(
  subscription: Subscription,
  lists: PriceLists,
  now: Micros1970,
): LocalDate | undefined {
  const { timeline, zone, currency, billedUntil, isStartBilled } = subscription
  const from = billedUntil ?? timeline.start
  if (from >= timeline.end) return undefined
  const [first] = timeline.phases
  const isStartDue =
    billedUntil === undefined &&
    !isStartBilled &&
    first?.status === 'active' &&
    pricesOfPhase(lists, first, currency).some(isInAdvance)
  if (isStartDue) return localDateOf(timeline.start, zone)
  const { end } = wholePeriodAt(timeline, situationOf(subscription, lists, now), from)
  return localDateOf(Math.min(end, timeline.end), zone)
}
