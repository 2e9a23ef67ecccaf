import type { Interval } from '@tidemark/schemas/calendar.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { planTerms } from '@tidemark/schemas/plan.ts'
import { eraAt } from '../invoicing/era.ts'
import type { Refusal } from './refusal.ts'
import { type PriceLists, planOfPhase, pricesOfPhase, type Subscription } from './subscription.ts'
import type { Phase, Timeline } from './timeline.ts'

/**
 * Where a subscription ends, or counts its periods anew, the invoice of the period that ends there settles the longer
 * intervals of prices and the terms of minima that were under way. No such instant may come to, or go from, the end of a
 * period that is billed: they would be billed never, or twice.
 */
export function settledByNobody(
  before: Subscription,
  after: Subscription,
  lists: PriceLists,
): Refusal | undefined {
  const { billedUntil, timeline } = before
  if (
    billedUntil === undefined ||
    isSettledAt(timeline, billedUntil) === isSettledAt(after.timeline, billedUntil)
  )
    return undefined
  const isUnderWay = timeline.phases.some(
    (phase) => phase.from < billedUntil && lastsLonger(phase, before, lists),
  )
  if (!isUnderWay) return undefined
  return {
    code: 'already_billed',
    field: 'effective',
    reason: `the invoice until ${formatInstant(billedUntil)} is made, and prices or a minimum of longer intervals would have been settled with it; choose a later instant`,
  }
}

const isSettledAt = (timeline: Timeline, instant: Micros1970): boolean =>
  eraAt(timeline, instant - 1).to === instant

function lastsLonger(phase: Phase, { currency }: Subscription, lists: PriceLists): boolean {
  const plan = planOfPhase(lists, phase)
  const own = daysOf(planTerms(plan).interval)
  const intervals = pricesOfPhase(lists, phase, currency).map(({ interval }) => interval)
  return [...intervals, plan.minimum?.term].some((each) => each !== undefined && daysOf(each) > own)
}

/** About as many, to tell which of two is longer: one is a multiple of the other. */
const daysOf = ({ unit, count }: Interval): number => count * { day: 1, week: 7, month: 30, year: 365 }[unit]
