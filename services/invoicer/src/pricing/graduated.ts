import type { GraduatedPrice } from '@tidemark/schemas/catalogue.ts'
import { add, compare, type Decimal, decimal, multiply, subtract, zero } from '@tidemark/schemas/decimal.ts'

export type RatedTier = {
  /** From 1. */
  readonly tier: number
  readonly quantity: Decimal
  /** Exact, in major units, the tier's flat fee included. */
  readonly amount: Decimal
}

/**
 * Splits the quantity at the bounds, which are inclusive and cumulative: 100.5 with `upTo` 100 leaves 0.5 for the next
 * tier. A tier is entered when a part of the quantity lies in it, so without usage no flat fee is due.
 * @returns the tiers that were entered, in order
 */
export function rateTiers(price: Pick<GraduatedPrice, 'tiers'>, quantity: Decimal): RatedTier[] {
  const entered: RatedTier[] = []
  let below = zero
  for (const [index, { upTo, unitPrice, flatFee }] of price.tiers.entries()) {
    if (compare(quantity, below) <= 0) break
    const bound = upTo === null ? quantity : decimal(upTo)
    const top = compare(quantity, bound) < 0 ? quantity : bound
    const part = subtract(top, below)
    const amount = add(multiply(part, decimal(unitPrice)), decimal(flatFee ?? '0'))
    entered.push({ tier: index + 1, quantity: part, amount })
    below = bound
  }
  return entered
}

/** Exact amount in major units, before rounding: what all entered tiers cost. */
export const rateGraduated = (price: Pick<GraduatedPrice, 'tiers'>, quantity: Decimal): Decimal =>
  rateTiers(price, quantity).reduce((sum, { amount }) => add(sum, amount), zero)
