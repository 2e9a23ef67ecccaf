import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import type { Coupon } from '@tidemark/schemas/coupon.ts'
import { compare, decimal, zero } from '@tidemark/schemas/decimal.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import { termsOf } from './coupon-store.ts'
import { differenceOf } from './difference.ts'
import type { Known } from './known.ts'
import { amountFaults } from './price-faults.ts'
import { twice } from './repeated.ts'

const hundred = decimal('100')

export function couponFaults(catalogue: Catalogue, known: Known): CatalogueFault[] {
  const coupons = catalogue.coupons ?? []
  const brought = [...(catalogue.plans ?? []), ...(catalogue.addOns ?? [])]
  const prices = new Set([...known.priceIds, ...brought.flatMap(({ prices }) => prices.map(({ id }) => id))])
  return [
    ...twice(coupons, 'coupons', 'id', ({ id }) => id),
    ...coupons.flatMap((coupon, index) => {
      const at = `coupons[${index}]`
      return [
        ...worthFaults(coupon, at),
        ...durationFaults(coupon, at),
        ...(coupon.appliesTo ?? []).flatMap((id, place) =>
          prices.has(id)
            ? []
            : [
                {
                  path: `${at}.appliesTo[${place}]`,
                  reason: `no plan or add-on has a price "${id}"; mend the id`,
                },
              ],
        ),
        ...changeFaults(coupon, known.coupons.get(coupon.id)?.coupon, at),
      ]
    }),
  ]
}

function worthFaults({ type, value, currency }: Coupon, path: string): CatalogueFault[] {
  const faults: CatalogueFault[] = []
  if (compare(decimal(value), zero) <= 0)
    faults.push({ path: `${path}.value`, reason: 'must be above 0: it would discount nothing' })
  if (type === 'percent' && compare(decimal(value), hundred) > 0)
    faults.push({ path: `${path}.value`, reason: `${value} percent is more than all; use at most 100` })
  if (type === 'percent' && currency !== undefined)
    faults.push({ path: `${path}.currency`, reason: 'a percentage has no currency; leave it out' })
  if (type === 'fixed' && currency === undefined)
    faults.push({ path: `${path}.currency`, reason: 'is missing: a fixed amount is in one' })
  if (type === 'fixed' && currency !== undefined)
    faults.push(...amountFaults(value, currency, `${path}.value`))
  return faults
}

function durationFaults({ duration, periods, redeemBy }: Coupon, path: string): CatalogueFault[] {
  const faults: CatalogueFault[] = []
  if (duration === 'repeating' && periods === undefined)
    faults.push({ path: `${path}.periods`, reason: 'is missing: on how many invoices it repeats' })
  if (duration !== 'repeating' && periods !== undefined)
    faults.push({
      path: `${path}.periods`,
      reason: `belongs to duration repeating; leave it out for ${duration}`,
    })
  if (redeemBy !== undefined && parseInstant(redeemBy) === undefined)
    faults.push({
      path: `${path}.redeemBy`,
      reason: `"${redeemBy}" is no instant such as 2026-11-01T00:00:00Z`,
    })
  return faults
}

function changeFaults(coupon: Coupon, before: Coupon | undefined, path: string): CatalogueFault[] {
  if (before === undefined) return []
  return differenceOf({ ...termsOf(before) }, { ...termsOf(coupon) }).map(({ path: field }) => ({
    path: `${path}.${field}`,
    reason: 'what a coupon is worth never changes, invoices rest on it; give the new one another id',
  }))
}
