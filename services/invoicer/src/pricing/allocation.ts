import { type Currency, type Micros, microsOfMinorUnits } from '@tidemark/schemas/money.ts'

/**
 * Splits a total in proportion to weights of one sign, in whole minor units: each part is rounded down, and what is left
 * goes unit by unit to the largest remainders, of equal ones to the earlier. The parts sum to the total; a negative total
 * is split as its opposite is. Without any weight there is nothing to split.
 * @throws RangeError for a total without weights
 */
export function allocate(total: Micros, weights: readonly bigint[], currency: Currency): Micros[] {
  const sum = weights.reduce((a, b) => a + b, 0n)
  if (sum === 0n) return nothing(total, weights.length)
  return largestRemainder(
    total,
    weights.map((weight) => total * weight),
    sum,
    currency,
  )
}

/**
 * Splits a rounded total among the exact parts that it is the rounded sum of, given as numerators of one denominator.
 * Parts of one sign share in proportion. Where charges and credits meet, a proportion of a small sum would be magnified:
 * there each keeps its own exact part, rounded.
 */
export function allocateRounded(
  total: Micros,
  parts: readonly bigint[],
  denominator: bigint,
  currency: Currency,
): Micros[] {
  const mixed = parts.some((part) => part < 0n) && parts.some((part) => part > 0n)
  return mixed ? largestRemainder(total, parts, denominator, currency) : allocate(total, parts, currency)
}

function largestRemainder(
  total: Micros,
  parts: readonly bigint[],
  denominator: bigint,
  currency: Currency,
): Micros[] {
  const sign = total < 0n !== denominator < 0n ? -1n : 1n
  if (total < 0n || denominator < 0n)
    return largestRemainder(
      total < 0n ? -total : total,
      parts.map((part) => part * sign),
      denominator < 0n ? -denominator : denominator,
      currency,
    ).map((part) => (total < 0n ? -part : part))
  const unit = microsOfMinorUnits(1n, currency)
  const divisor = denominator * unit
  const shares = parts.map((part, index) => {
    const floor = floorDivide(part, divisor)
    return { index, floor, remainder: part - floor * divisor }
  })
  const left = total / unit - shares.reduce((sum, { floor }) => sum + floor, 0n)
  if (total % unit !== 0n || left < 0n || left > BigInt(shares.length))
    throw new RangeError(`${total} micro-units of ${currency} are not the rounded sum of their parts`)
  const favoured = shares
    .toSorted((a, b) => (a.remainder > b.remainder ? -1 : a.remainder < b.remainder ? 1 : 0))
    .slice(0, Number(left))
  for (const share of favoured) share.floor += 1n
  return shares.map(({ floor }) => floor * unit)
}

function nothing(total: Micros, count: number): Micros[] {
  if (total !== 0n)
    throw new RangeError(`${total} micro-units cannot be split among parts that sum to nothing`)
  return new Array<Micros>(count).fill(0n)
}

function floorDivide(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  return numerator % denominator < 0n ? quotient - 1n : quotient
}
