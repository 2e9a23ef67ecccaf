import { add, compare, type Decimal, multiply, subtract, zero } from '@tidemark/schemas/decimal.ts'
import type { ExactAmount, Step } from '../rated.ts'
import type { ChargedRange } from './included-quantity.ts'

export type WalkedTier = {
  readonly upTo: Decimal | null
  /** Price of one unit, in major units: a percentage has it divided by 100. */
  readonly unitPrice: Decimal
  readonly flatFee: Decimal
}

/**
 * Splits a range at the tiers' bounds, which are inclusive and cumulative: 100.5 with `upTo` 100 leaves 0.5 for the next
 * tier. A tier is entered when a part of the quantity lies in it, and its flat fee is due then, in full and once: not again
 * where the range begins inside it. Without any usage no tier is entered, unless `zeroUsageFlatFee` says otherwise: then the
 * first tier's fee is due at once, and a segment that goes on from an earlier one finds it paid. What lies above a last tier with an end is priced by that tier.
 */
export function walkTiers(
  tiers: readonly WalkedTier[],
  { from, to, goesOn }: ChargedRange,
  zeroUsageFlatFee = false,
): ExactAmount {
  const steps: Step[] = []
  let exact = zero
  let below = zero
  for (const [index, { upTo, unitPrice, flatFee }] of tiers.entries()) {
    const isLast = index === tiers.length - 1
    const bound = isLast || upTo === null ? to : upTo
    const start = compare(from, below) > 0 ? from : below
    const end = compare(to, bound) < 0 ? to : bound
    const isEntered = compare(end, start) > 0
    const dueAtOnce = index === 0 && zeroUsageFlatFee
    const isNew = dueAtOnce ? !goesOn : isEntered && compare(from, below) <= 0
    if (isEntered || (dueAtOnce && isNew)) {
      const quantity = isEntered ? subtract(end, start) : zero
      const fee = isNew ? flatFee : zero
      const amount = add(multiply(quantity, unitPrice), fee)
      exact = add(exact, amount)
      steps.push({ step: 'tier', tier: String(index + 1), quantity, unitPrice, flatFee: fee, amount })
    }
    if (upTo === null || compare(to, bound) <= 0) break
    below = bound
  }
  return { exact, steps }
}
