import {
  add,
  compare,
  type Decimal,
  decimal,
  greatest,
  least,
  multiply,
  powerOfTen,
  subtract,
  zero,
} from '@tidemark/schemas/decimal.ts'
import type { PriceOf, Tier } from '@tidemark/schemas/price.ts'
import type { ExactAmount, PricedUsage, QuantityChange, Step } from '../rated.ts'

type GraduatedProrated = Pick<PriceOf<'graduated-prorated'>, 'tiers' | 'zeroUsageFlatFee'>

/** A sum of quotients; one division at the end keeps it exact. */
type Quotient = { readonly exact: Decimal; readonly divisor: bigint }

/**
 * A level that changes within the period: each change costs its prorated part in the tiers that it fills, and removals leave
 * the top tier first. A change that crosses a bound is split in proportion. Flat fees of all tiers that were entered are due
 * whole.
 */
export function rateGraduatedProrated(price: GraduatedProrated, { changes = [] }: PricedUsage): ExactAmount {
  const steps: Step[] = []
  let sum: Quotient = { exact: zero, divisor: 1n }
  let level = zero
  let highest = zero
  for (const change of changes) {
    const next = greatest(add(level, change.quantity), zero)
    let cost: Quotient = { exact: zero, divisor: 1n }
    for (const [index, tier, part] of partsBetween(price.tiers, level, next)) {
      cost = plus(cost, chargeOf(change, part, decimal(tier.unitPrice)))
      steps.push({ step: 'change', tier: String(index + 1), ...change, part, unitPrice: tier.unitPrice })
    }
    sum = plus(sum, cost)
    level = next
    highest = greatest(highest, level)
  }
  const fees = feesOf(price, highest)
  const exact = fees.reduce(
    (total, { amount }) => add(total, multiply(amount, whole(sum.divisor))),
    sum.exact,
  )
  return { exact, divisor: sum.divisor, steps: [...steps, ...fees] }
}

/** Prorated quantity times the share of the change that lies in the tier, times the tier’s unit price. */
function chargeOf(
  { quantity, proratedQuantity }: QuantityChange,
  part: Decimal,
  unitPrice: Decimal,
): Quotient {
  const { coefficient, scale } = quantity
  const size = coefficient < 0n ? -coefficient : coefficient
  if (compare(part, { coefficient: size, scale }) === 0)
    return { exact: multiply(proratedQuantity, unitPrice), divisor: 1n }
  const share = multiply(proratedQuantity, multiply(part, unitPrice))
  return { exact: multiply(share, whole(powerOfTen(scale))), divisor: size }
}

const plus = (a: Quotient, b: Quotient): Quotient =>
  a.divisor === b.divisor
    ? { exact: add(a.exact, b.exact), divisor: a.divisor }
    : {
        exact: add(multiply(a.exact, whole(b.divisor)), multiply(b.exact, whole(a.divisor))),
        divisor: a.divisor * b.divisor,
      }

/** What of each tier lies between two levels, in whichever direction. */
function partsBetween(tiers: readonly Tier[], a: Decimal, b: Decimal): [number, Tier, Decimal][] {
  const [from, to] = compare(a, b) <= 0 ? [a, b] : [b, a]
  let below = zero
  return tiers.flatMap((tier, index): [number, Tier, Decimal][] => {
    const bound = index === tiers.length - 1 || tier.upTo === null ? to : decimal(tier.upTo)
    const start = greatest(from, below)
    const end = least(to, bound)
    below = greatest(bound, below)
    return compare(end, start) > 0 ? [[index, tier, subtract(end, start)]] : []
  })
}

function feesOf({ tiers, zeroUsageFlatFee }: GraduatedProrated, highest: Decimal) {
  const entered = partsBetween(tiers, zero, highest).map(([index]) => index)
  const charged = entered.length === 0 && zeroUsageFlatFee === true ? [0] : entered
  return charged.map((index) => ({
    step: 'flat-fee',
    tier: String(index + 1),
    amount: decimal(tiers[index]?.flatFee ?? '0'),
  }))
}

const whole = (coefficient: bigint): Decimal => ({ coefficient, scale: 0 })
