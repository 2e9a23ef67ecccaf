import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { termsOf as couponTerms } from '../catalogue/coupon-store.ts'
import { sha256Of } from '../catalogue/version-changes.ts'
import { advanceFees } from '../invoicing/advance.ts'
import type { Draft } from '../invoicing/compose.ts'
import { versionKey } from '../invoicing/subscription.ts'
import { type Phase, phaseAt, phasesWithin } from '../subscriptions/timeline.ts'

/** What was in force in the time that was read, and what begins where fees in advance are asked for. */
function phasesOf({ due }: Pick<Draft, 'due'>, { start, end }: BillingPeriod): Phase[] {
  const { subscription, kind } = due
  const { timeline } = subscription
  const at = kind === 'advance' ? start : end
  const next = advanceFees(subscription, at).length > 0 ? phaseAt(timeline, at) : undefined
  const within = kind === 'advance' ? [] : phasesWithin(timeline, { from: start, to: end })
  return next ? [...within, { ...next, from: at, to: at }] : within
}

export const phasesJson = (draft: Pick<Draft, 'due'>, reading: BillingPeriod): Json =>
  phasesOf(draft, reading).map(({ from, to, status, plan, planVersion, quantity, addOns }) => ({
    from: formatInstant(from),
    to: formatInstant(to),
    status,
    plan,
    version: planVersion,
    quantity: formatDecimal(quantity),
    addOns: addOns.map((addOn) => ({ ...addOn, quantity: formatDecimal(addOn.quantity) })),
  }))

/** The versions that prices came from, each by the hash of its definition, and the coupons that might be redeemed. */
export function catalogueJson(
  draft: Pick<Draft, 'due' | 'coupons'>,
  reading: BillingPeriod,
): { [key: string]: Json } {
  const { plans, addOns } = draft.due.subscription
  const phases = phasesOf(draft, reading)
  const named = (items: readonly { id: string; version: number }[]) => [
    ...new Map(items.map((each) => [versionKey(each.id, each.version), each])),
  ]
  return {
    plans: named(phases.map(({ plan, planVersion }) => ({ id: plan, version: planVersion }))).map(
      ([key, { id, version }]) => ({ id, version, sha256: plans.get(key)?.sha256 ?? '' }),
    ),
    addOns: named(phases.flatMap((phase) => phase.addOns)).map(([key, { id, version }]) => ({
      id,
      version,
      sha256: addOns.get(key)?.sha256 ?? '',
    })),
    coupons: draft.coupons.map(({ coupon, from, redemptions }) => ({
      id: coupon.id,
      sha256: sha256Of({ ...couponTerms(coupon) }),
      from: formatInstant(from),
      redemptions,
    })),
  }
}
