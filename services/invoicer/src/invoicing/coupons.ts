import { decimal } from '@tidemark/schemas/decimal.ts'
import type { Discount } from '../pricing/priced-invoice.ts'
import type { DueInvoice } from './due-invoice.ts'
import type { AttachedCoupon } from './subscription.ts'

/** The coupons that an invoice redeems, in the order in which they were given. */
export const couponsFor = ({ subscription, kind, period }: DueInvoice): AttachedCoupon[] =>
  subscription.coupons.filter(({ coupon, from, to, redemptions }) => {
    const last = kind === 'advance' ? period.start : period.end - 1
    const isGiven = from <= last && last < to
    const isCurrency = coupon.type === 'percent' || coupon.currency === subscription.currency
    return isGiven && isCurrency && redemptions < mostRedemptions(coupon)
  })

/** On how many invoices. */
function mostRedemptions({ duration, periods }: AttachedCoupon['coupon']): number {
  if (duration === 'forever') return Infinity
  return duration === 'once' ? 1 : (periods ?? 1)
}

export const discountOf = ({ coupon }: AttachedCoupon): Discount => ({
  id: coupon.id,
  type: coupon.type,
  value: decimal(coupon.value),
  ...(coupon.appliesTo === undefined ? {} : { appliesTo: coupon.appliesTo }),
})
