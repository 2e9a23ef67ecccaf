import { add, compare, type Decimal, decimal, multiply, subtract, zero } from '@tidemark/schemas/decimal.ts'
import type { PriceOf, Tier } from '@tidemark/schemas/price.ts'
import type { ExactAmount, PricedUsage } from '../rated.ts'
import { chargedRange } from './included-quantity.ts'

type Volume = Pick<PriceOf<'volume'>, 'tiers' | 'freeUnits' | 'zeroUsageFlatFee'>

/**
 * The whole quantity costs what the tier says in which its end lies, and that tier's flat fee. A segment that goes on in
 * carried tiers is priced in the tier of the period's whole quantity so far, and pays the flat fee only of a tier that was
 * not reached before: what earlier segments cost stays as it is.
 */
export function rateVolume(price: Volume, usage: PricedUsage): ExactAmount {
  const { from, to, goesOn } = chargedRange(usage, price.freeUnits)
  const quantity = subtract(to, from)
  const isUsed = quantity.coefficient > 0n
  const feeAlone = !isUsed && price.zeroUsageFlatFee === true && !goesOn
  if (!isUsed && !feeAlone) return { exact: zero, steps: [] }
  const selection = chargedRange(
    { ...usage, quantity: usage.tierSelectionQuantity ?? usage.quantity },
    price.freeUnits,
  ).to
  const index = tierOf(price.tiers, selection)
  const isPaid = from.coefficient > 0n || (goesOn && price.zeroUsageFlatFee === true)
  const paidBefore = isPaid && tierOf(price.tiers, from) === index
  const tier = price.tiers[index]
  const unitPrice = decimal(tier?.unitPrice ?? '0')
  const flatFee = paidBefore ? zero : decimal(tier?.flatFee ?? '0')
  const exact = add(multiply(quantity, unitPrice), flatFee)
  return {
    exact,
    steps: [
      { step: 'tier', tier: String(index + 1), selection, quantity, unitPrice, flatFee, amount: exact },
    ],
  }
}

/** The first tier whose inclusive bound holds the quantity; the last one beyond all of them. */
function tierOf(tiers: readonly Tier[], quantity: Decimal): number {
  const index = tiers.findIndex(({ upTo }) => upTo === null || compare(quantity, decimal(upTo)) <= 0)
  return index === -1 ? tiers.length - 1 : index
}
