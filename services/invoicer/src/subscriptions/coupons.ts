import type { Coupon } from '@tidemark/schemas/coupon.ts'
import { formatInstant, type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import type { Currency } from '@tidemark/schemas/money.ts'
import type { CouponRequest } from '@tidemark/schemas/subscription-change.ts'
import type { Refusal } from './refusal.ts'
import { illegal, stateAt } from './states.ts'
import type { Subscription } from './subscription.ts'

/** A coupon and to how many subscriptions it has been given. */
export type OfferedCoupon = { readonly coupon: Coupon; readonly given: number }

/** Why a coupon cannot be given to a subscription of the customer; undefined when it can. */
export function couponFault(
  id: string,
  offered: OfferedCoupon | undefined,
  currency: Currency,
  now: Micros1970,
): string | undefined {
  if (!offered) return `there is no coupon "${id}"; create it or mend the id`
  const { coupon, given } = offered
  if (coupon.type === 'fixed' && coupon.currency !== currency)
    return `coupon "${id}" is in ${coupon.currency}, but the customer pays in ${currency}`
  if (coupon.redeemBy !== undefined && (parseInstant(coupon.redeemBy) ?? Infinity) <= now)
    return `coupon "${id}" could be given before ${coupon.redeemBy} only; move its redeemBy or use another one`
  if (coupon.maxRedemptions !== undefined && given >= coupon.maxRedemptions)
    return `coupon "${id}" is given to ${given} subscriptions already, as many as its maxRedemptions; raise that or use another one`
  return undefined
}

/** The subscription with a coupon: one that it has already, or had, is not given again. */
export function attachCoupon(
  subscription: Subscription,
  { coupon, from: text }: CouponRequest,
  offered: OfferedCoupon | undefined,
  now: Micros1970,
): Subscription | Refusal {
  const { timeline, coupons, currency } = subscription
  const refusal = illegal('coupons', stateAt(timeline, now))
  if (refusal) return refusal
  const from = text === undefined ? Math.max(now, timeline.start) : parseInstant(text)
  if (from === undefined) return invalid('from', `"${text}" is no instant such as 2026-11-01T00:00:00Z`)
  if (coupons.some((each) => each.coupon === coupon))
    return {
      code: 'coupon_given',
      field: 'coupon',
      reason: `the subscription was given coupon "${coupon}" before; each is given once`,
    }
  const fault = couponFault(coupon, offered, currency, now)
  if (fault !== undefined) return invalid('coupon', fault)
  const billed = lastBilled(subscription)
  if (billed !== undefined && from <= billed)
    return {
      code: 'already_billed',
      field: 'from',
      reason: `invoices until ${formatInstant(billed)} are made without it; give it from a later instant`,
    }
  return { ...subscription, coupons: [...coupons, { coupon, from, to: Infinity }] }
}

/** The last instant at which an invoice that is made would have redeemed a coupon: none is changed behind it (rule 7). */
function lastBilled({ timeline, billedUntil, isStartBilled }: Subscription): Micros1970 | undefined {
  if (billedUntil !== undefined) return billedUntil - 1
  return isStartBilled ? timeline.start : undefined
}

/** Takes a coupon away from now on: invoices that are open or paid keep their discount. */
export function removeCoupon(
  subscription: Subscription,
  id: string,
  now: Micros1970,
): Subscription | Refusal {
  const { coupons } = subscription
  if (!coupons.some(({ coupon, to }) => coupon === id && to === Infinity))
    return invalid('coupon', `the subscription has no coupon "${id}"; GET it to see those that it has`)
  return {
    ...subscription,
    coupons: coupons.map((each) => (each.coupon === id ? { ...each, to: Math.max(now, each.from) } : each)),
  }
}

const invalid = (field: string, reason: string): Refusal => ({ code: 'invalid_change', field, reason })
