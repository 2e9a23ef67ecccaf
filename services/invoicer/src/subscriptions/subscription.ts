import type { AddOn } from '@tidemark/schemas/add-on.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Currency } from '@tidemark/schemas/money.ts'
import { type Plan, planTerms } from '@tidemark/schemas/plan.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import type { ZoneHistory } from '../catalogue/time-zones.ts'
import type { Situation } from './situation.ts'
import type { Phase, Timeline } from './timeline.ts'

/** Which side may claim the next period; what is claimed stands in billing_claims. */
export type BillingMode = 'tidemark' | 'old'

export type AttachedCoupon = {
  readonly coupon: string
  readonly from: Micros1970
  /** Infinity while it is not taken away. */
  readonly to: Micros1970
}

export type Subscription = {
  readonly key: string
  readonly customer: string
  /** The customer's. */
  readonly currency: Currency
  readonly zone: string
  /** Where the customer's zone has changed; `zone` is then that of the next period to be billed. */
  readonly zones?: ZoneHistory
  readonly source: string
  readonly billingMode: BillingMode
  /** Raised by each change. */
  readonly revision: bigint
  readonly timeline: Timeline
  /** End of the last period that is claimed, by either side. */
  readonly billedUntil: Micros1970 | undefined
  /** Whether the fees in advance that come with the start are claimed. */
  readonly isStartBilled: boolean
  /** In the order in which they were given. */
  readonly coupons: readonly AttachedCoupon[]
}

export const versionKey = (id: string, version: number): string => `${id}/${version}`

/** The versions that timelines name, by `versionKey`. */
export type PriceLists = {
  readonly plans: ReadonlyMap<string, { readonly plan: Plan }>
  readonly addOns: ReadonlyMap<string, { readonly addOn: AddOn }>
}

/** @throws RangeError when the lists were read for other timelines */
export function planOfPhase({ plans }: PriceLists, phase: Pick<Phase, 'plan' | 'planVersion'>): Plan {
  const found = plans.get(versionKey(phase.plan, phase.planVersion))
  if (!found) throw new RangeError(`version ${phase.planVersion} of plan "${phase.plan}" was not read`)
  return found.plan
}

/** The plan's prices and those of the add-ons, as far as they are in the currency. */
export function pricesOfPhase(lists: PriceLists, phase: Phase, currency: Currency): Price[] {
  const sources = [
    planOfPhase(lists, phase),
    ...phase.addOns.flatMap(({ id, version }) => lists.addOns.get(versionKey(id, version))?.addOn ?? []),
  ]
  return sources.flatMap((source) =>
    source.prices.filter((price) => (price.currency ?? source.currency) === currency),
  )
}

/** Whether a price is due where its interval begins. */
export const isInAdvance = (price: Price): boolean =>
  price.timing === 'advance' && (price.model === 'flat' || price.meter === undefined)

/** What a change of the subscription rests on. */
export function situationOf(
  { timeline, zone, currency, billedUntil, isStartBilled }: Subscription,
  lists: PriceLists,
  now: Micros1970,
): Situation {
  const ahead = billedUntil ?? timeline.start
  const phase = timeline.phases.find(({ from, to }) => from <= ahead && ahead < to)
  const isClaimed = billedUntil !== undefined || isStartBilled
  return {
    now,
    zone,
    billedUntil,
    billedAhead: isClaimed && phase !== undefined && pricesOfPhase(lists, phase, currency).some(isInAdvance),
    intervalOf: (each) => planTerms(planOfPhase(lists, each)).interval,
  }
}
