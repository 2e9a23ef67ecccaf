import {
  add,
  compare,
  type Decimal,
  decimal,
  least,
  multiply,
  subtract,
  wholeParts,
  zero,
} from '@tidemark/schemas/decimal.ts'
import type { BlockTier, PriceOf } from '@tidemark/schemas/price.ts'
import type { ExactAmount, PricedUsage, Step } from '../rated.ts'
import { type ChargedRange, chargedRange } from './included-quantity.ts'

type Blocks = Pick<PriceOf<'blocks'>, 'mode' | 'tiers' | 'units'>

/**
 * Started blocks at the price of their tier, whose `max` counts its own blocks: all tiers are filled one after the other, or
 * the tier that the quantity reaches prices all of it (`top-tier`). Beyond the last `max` the last tier goes on. With several
 * units each walks its own tiers and the amounts add up.
 */
export function rateBlocks(price: Blocks, usage: PricedUsage): ExactAmount {
  const walk = price.mode === 'top-tier' ? topTier : allTiers
  if (price.units === undefined) return walk(price.tiers ?? [], chargedRange(usage), {})
  let exact = zero
  const steps: Step[] = []
  for (const [unit, tiers] of Object.entries(price.units)) {
    const quantity = usage.units?.get(unit) ?? zero
    const rated = walk(tiers, chargedRange({ quantity }), { unit })
    exact = add(exact, rated.exact)
    steps.push(...rated.steps, { step: 'unit', unit, quantity, amount: rated.exact })
  }
  return { exact, steps }
}

type Walk = (tiers: readonly BlockTier[], range: ChargedRange, about: { unit?: string }) => ExactAmount

const allTiers: Walk = (tiers, { from, to }, about) => {
  let exact = zero
  let below = zero
  const steps: Step[] = []
  for (const [index, tier] of tiers.entries()) {
    const room = index === tiers.length - 1 ? undefined : roomOf(tier)
    const size = decimal(tier.size)
    const within = (quantity: Decimal) => {
      const above = compare(quantity, below) > 0 ? subtract(quantity, below) : zero
      return wholeParts(room === undefined ? above : least(above, room), size, 'up')
    }
    // A block that an earlier segment of the period has started is paid.
    const blocks = whole(within(to) - within(from))
    const amount = multiply(blocks, decimal(tier.price))
    exact = add(exact, amount)
    if (blocks.coefficient > 0n)
      steps.push({ step: 'tier', ...about, tier: String(index + 1), blocks, price: tier.price, amount })
    if (room === undefined) break
    below = add(below, room)
  }
  return { exact, steps }
}

const topTier: Walk = (tiers, { from, to }, about) => {
  if (compare(to, from) <= 0) return { exact: zero, steps: [] }
  let below = zero
  const found = tiers.findIndex((tier) => {
    const room = roomOf(tier)
    if (room === undefined) return true
    below = add(below, room)
    return compare(to, below) <= 0
  })
  const index = found === -1 ? tiers.length - 1 : found
  const { size = '1', price = '0' } = tiers[index] ?? {}
  const blocks = whole(wholeParts(to, decimal(size), 'up') - wholeParts(from, decimal(size), 'up'))
  const exact = multiply(blocks, decimal(price))
  return { exact, steps: [{ step: 'tier', ...about, tier: String(index + 1), blocks, price, amount: exact }] }
}

const whole = (coefficient: bigint): Decimal => ({ coefficient, scale: 0 })

const roomOf = ({ size, max }: BlockTier): Decimal | undefined =>
  max === null ? undefined : multiply(decimal(size), decimal(max))
