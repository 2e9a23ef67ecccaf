import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import { compare } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { PlanTerms } from '@tidemark/schemas/plan.ts'
import { type Phase, phasesWithin } from '../subscriptions/timeline.ts'
import { type PriceInForce, pricesOf, sourceKey } from './sources.ts'
import type { BilledSubscription } from './subscription.ts'

/** A stretch of time in which one version of a price is in force, without a break. */
export type Segment = PriceInForce & {
  readonly from: Micros1970
  readonly to: Micros1970
  /** Its parts that are billed: without trials and pauses in which the plan bills nothing. */
  readonly billed: readonly BillingPeriod[]
}

/** Whether a phase's fees are due: never in a trial, in a pause where the plan keeps them. */
export const hasFees = ({ status }: Phase, { pauseFees }: PlanTerms): boolean =>
  status === 'active' || (status === 'paused' && pauseFees === 'keep')

/** Whether a phase's usage is billed, and not only listed. */
export const hasUsage = ({ status }: Phase, { trialUsage, pauseUsage }: PlanTerms): boolean =>
  status === 'active' ||
  (status === 'trial' && trialUsage === 'billed') ||
  (status === 'paused' && pauseUsage === 'billed')

type Piece = Omit<Segment, 'billed'> & { readonly isBilled: boolean }

/**
 * Where a price's usage is rated: one segment for each version of a plan, so that tiers and included quantities begin
 * anew with a change of version and go on over a pause or a change of quantity.
 */
export const usageSegments = (
  subscription: BilledSubscription,
  key: string,
  served: BillingPeriod,
): Segment[] =>
  join(pieces(subscription, key, served, hasUsage), (a, b) => sourceKey(a.source) === sourceKey(b.source))

/** Where a fee has one amount: a change of version or of quantity, a trial and a pause divide it. */
export const feeSegments = (
  subscription: BilledSubscription,
  key: string,
  served: BillingPeriod,
): Segment[] =>
  join(
    pieces(subscription, key, served, hasFees),
    (a, b) =>
      sourceKey(a.source) === sourceKey(b.source) &&
      a.isBilled === b.isBilled &&
      compare(a.quantity, b.quantity) === 0,
  )

const pieces = (
  subscription: BilledSubscription,
  key: string,
  { start, end }: BillingPeriod,
  isBilled: (phase: Phase, terms: PlanTerms) => boolean,
): Piece[] =>
  phasesWithin(subscription.timeline, { from: start, to: end }).flatMap((phase) =>
    pricesOf(subscription, phase)
      .filter((price) => price.key === key)
      .map((price) => ({ ...price, from: phase.from, to: phase.to, isBilled: isBilled(phase, price.terms) })),
  )

/** Joins what follows without a break and is of one kind; parts that are not billed leave a hole, or no segment at all. */
function join(parts: readonly Piece[], isSame: (a: Piece, b: Piece) => boolean): Segment[] {
  const runs: Piece[][] = []
  for (const part of parts) {
    const last = runs.at(-1)?.at(-1)
    if (last && last.to === part.from && isSame(last, part)) runs.at(-1)?.push(part)
    else runs.push([part])
  }
  return runs.flatMap((run) => {
    const [first] = run
    const last = run.at(-1)
    const billed = run.filter(({ isBilled }) => isBilled)
    if (!first || !last || billed.length === 0) return []
    const { isBilled: _, ...segment } = first
    return [{ ...segment, to: last.to, billed: joinTimes(billed) }]
  })
}

function joinTimes(parts: readonly { from: number; to: number }[]): BillingPeriod[] {
  const joined: BillingPeriod[] = []
  for (const { from, to } of parts) {
    const last = joined.at(-1)
    if (last?.end === from) joined.splice(-1, 1, { start: last.start, end: to })
    else joined.push({ start: from, end: to })
  }
  return joined
}
