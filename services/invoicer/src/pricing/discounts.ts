import type { Currency, Micros } from '@tidemark/schemas/money.ts'
import { allocate, allocateRounded } from './allocation.ts'
import type { CommittedLine } from './commitments.ts'
import { partOfDecimal, percentFraction, percentOfMicros, whole } from './fraction.ts'
import type { AppliedDiscount, Discount, NetLine } from './priced-invoice.ts'
import type { Step } from './rated.ts'
import { major } from './trace.ts'

export type Discounted = {
  readonly lines: readonly NetLine[]
  readonly discounts: readonly AppliedDiscount[]
  readonly totalMicros: Micros
  readonly steps: readonly Step[]
}

/**
 * Discounts in their order, each on what the ones before have left. A percentage is of all eligible lines together and is
 * rounded once; a credit line gives its part back. A fixed amount is taken off charges alone and never makes what is left
 * of the eligible lines negative. Both are spread by largest remainder in proportion to what is left on each line.
 */
export function applyDiscounts(
  lines: readonly CommittedLine[],
  discounts: readonly Discount[],
  currency: Currency,
): Discounted {
  const left = lines.map(({ amountMicros, capMicros }) => amountMicros + capMicros)
  const taken = lines.map(() => 0n)
  const steps: Step[] = []
  const applied = discounts.map((discount): AppliedDiscount => {
    const base = lines.map((line, index) => (isEligible(line, discount) ? (left[index] ?? 0n) : 0n))
    const shares = sharesOf(discount, base, currency)
    shares.forEach((share, index) => {
      left[index] = (left[index] ?? 0n) - share
      taken[index] = (taken[index] ?? 0n) + share
    })
    const amountMicros = sum(shares)
    steps.push({
      step: 'discount',
      id: discount.id,
      type: discount.type,
      value: discount.value,
      base: major(sum(base)),
      amount: major(amountMicros),
    })
    return { id: discount.id, amountMicros, lines: nonZero(lines, shares) }
  })
  return {
    lines: lines.map((line, index) => ({
      ...line,
      discountMicros: taken[index] ?? 0n,
      netMicros: left[index] ?? 0n,
    })),
    discounts: applied,
    totalMicros: sum(taken),
    steps,
  }
}

function sharesOf(discount: Discount, base: readonly Micros[], currency: Currency): Micros[] {
  const total = sum(base)
  const most =
    discount.remaining === undefined ? undefined : partOfDecimal(discount.remaining, whole, currency)
  if (discount.type === 'percent') {
    const amount = percentOfMicros(total, discount.value, currency)
    const { numerator, denominator } = percentFraction(discount.value)
    if (most === undefined || amount <= most)
      return allocateRounded(
        amount,
        base.map((micros) => micros * numerator),
        denominator,
        currency,
      )
  }
  const charges = base.map((micros) => (micros > 0n ? micros : 0n))
  const limits = [total > 0n ? total : 0n]
  if (discount.type === 'fixed') limits.push(partOfDecimal(discount.value, whole, currency))
  if (most !== undefined) limits.push(most)
  return allocate(least(limits), charges, currency)
}

const isEligible = ({ id, price, discountable }: CommittedLine, { appliesTo }: Discount): boolean =>
  discountable !== false &&
  (appliesTo === undefined || appliesTo.some((each) => each === id || each === price))

const nonZero = (lines: readonly CommittedLine[], shares: readonly Micros[]) =>
  lines.flatMap(({ id }, index) => {
    const amountMicros = shares[index] ?? 0n
    return amountMicros === 0n ? [] : [{ id, amountMicros }]
  })

const sum = (values: readonly Micros[]): Micros => values.reduce((a, b) => a + b, 0n)

function least([first = 0n, ...others]: readonly Micros[]): Micros {
  let found = first
  for (const value of others) if (value < found) found = value
  return found
}
