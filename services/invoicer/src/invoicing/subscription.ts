import type { AddOn } from '@tidemark/schemas/add-on.ts'
import type { Coupon } from '@tidemark/schemas/coupon.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Currency } from '@tidemark/schemas/money.ts'
import { type Plan, type PlanTerms, planTerms } from '@tidemark/schemas/plan.ts'
import type { Mapping } from '../catalogue/known.ts'
import { type ZoneHistory, zoneAt } from '../catalogue/time-zones.ts'
import type { Phase, Timeline } from '../subscriptions/timeline.ts'

export type PlanVersion = {
  readonly id: string
  readonly version: number
  readonly sha256: string
  readonly plan: Plan
}

export type AddOnVersion = {
  readonly id: string
  readonly version: number
  readonly sha256: string
  readonly addOn: AddOn
}

/** A coupon that a subscription was given, and on how many invoices it has been redeemed. */
export type AttachedCoupon = {
  readonly coupon: Coupon
  /** Invoices at whose instant it is given: from there on, until it was taken away. */
  readonly from: Micros1970
  readonly to: Micros1970
  readonly redemptions: number
}

/** A subscription with all that its invoices are made of, except the usage. */
export type BilledSubscription = {
  readonly key: string
  readonly customer: string
  readonly currency: Currency
  /** Of the period that it is read for. */
  readonly timeZone: string
  /** Where the customer's zone has changed. */
  readonly zones?: ZoneHistory
  readonly timeline: Timeline
  /** By `id/version`. */
  readonly plans: ReadonlyMap<string, PlanVersion>
  readonly addOns: ReadonlyMap<string, AddOnVersion>
  /** In the order in which they were given. */
  readonly coupons: readonly AttachedCoupon[]
  readonly mappings: readonly Mapping[]
  /** End of its last claimed period. */
  readonly billedUntil: Micros1970 | undefined
  /** Whether the fees in advance that come with its start are claimed. */
  readonly isStartBilled: boolean
}

/** For a period that begins at the instant. */
export const inZoneAt = (subscription: BilledSubscription, instant: Micros1970): BilledSubscription =>
  subscription.zones ? { ...subscription, timeZone: zoneAt(subscription.zones, instant) } : subscription

export const versionKey = (id: string, version: number): string => `${id}/${version}`

/** @throws RangeError when the subscription was read without that version */
export function planOf({ plans }: BilledSubscription, phase: Phase): PlanVersion {
  const found = plans.get(versionKey(phase.plan, phase.planVersion))
  if (!found) throw new RangeError(`version ${phase.planVersion} of plan "${phase.plan}" was not read`)
  return found
}

export const termsOf = (subscription: BilledSubscription, phase: Phase): PlanTerms =>
  planTerms(planOf(subscription, phase).plan)
