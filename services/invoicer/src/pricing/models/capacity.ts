import { compare, decimal, zero } from '@tidemark/schemas/decimal.ts'
import type { PriceOf } from '@tidemark/schemas/price.ts'
import type { ExactAmount, PricedUsage } from '../rated.ts'

type Capacity = Pick<PriceOf<'capacity'>, 'tiers'>

/** The price of the lowest tier whose limits hold every peak, limits included; above all of them that of the last tier. */
export function rateCapacity({ tiers }: Capacity, { units = new Map() }: PricedUsage): ExactAmount {
  const found = tiers.findIndex(({ limits }) =>
    Object.entries(limits).every(
      ([unit, limit]) => limit === null || compare(units.get(unit) ?? zero, decimal(limit)) <= 0,
    ),
  )
  const index = found === -1 ? tiers.length - 1 : found
  const exact = decimal(tiers[index]?.price ?? '0')
  const peaks = [...units].map(([unit, peak]) => ({ step: 'peak', unit, quantity: peak }))
  return { exact, steps: [...peaks, { step: 'tier', tier: String(index + 1), amount: exact }] }
}
