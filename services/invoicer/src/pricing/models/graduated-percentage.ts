import { add, type Decimal, decimal, subtract, zero } from '@tidemark/schemas/decimal.ts'
import type { PercentTier, PriceOf } from '@tidemark/schemas/price.ts'
import { type ExactAmount, type PricedUsage, type Step, tracedEvents } from '../rated.ts'
import { chargedRange } from './included-quantity.ts'
import { percent } from './percent.ts'
import { type WalkedTier, walkTiers } from './tier-walk.ts'

type GraduatedPercentage = Pick<PriceOf<'graduated-percentage'>, 'tiers' | 'zeroUsageFlatFee'>

/**
 * Each part of the sum costs its tier's percentage. Events are charged along the running total, so their charges add up to
 * the charge of the sum, whatever their order; where they are given, the trace says which of them paid what.
 */
export function rateGraduatedPercentage(price: GraduatedPercentage, usage: PricedUsage): ExactAmount {
  const tiers = price.tiers.map(readTier)
  const whole = walkTiers(tiers, chargedRange(usage), price.zeroUsageFlatFee)
  return { exact: whole.exact, steps: [...whole.steps, ...eventSteps(tiers, usage)] }
}

function eventSteps(tiers: readonly WalkedTier[], { events = [], already = zero }: PricedUsage): Step[] {
  let total = already
  let before = chargedUpTo(tiers, total)
  return events.slice(0, tracedEvents).map((value, index) => {
    total = add(total, value)
    const after = chargedUpTo(tiers, total)
    const amount = subtract(after, before)
    before = after
    return { step: 'event', event: String(index + 1), value, total, amount }
  })
}

const chargedUpTo = (tiers: readonly WalkedTier[], quantity: Decimal): Decimal =>
  walkTiers(tiers, chargedRange({ quantity })).exact

const readTier = ({ upTo, rate, flatFee }: PercentTier): WalkedTier => ({
  upTo: upTo === null ? null : decimal(upTo),
  unitPrice: percent(rate),
  flatFee: flatFee === undefined ? zero : decimal(flatFee),
})
