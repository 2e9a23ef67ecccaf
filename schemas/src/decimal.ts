/**
 * Exact decimals on bigint. A quantity, a unit price or an exchange rate never passes through a float (rule 6).
 * A decimal is `coefficient / 10^scale`; scale is never negative.
 */
export type Decimal = { readonly coefficient: bigint; readonly scale: number }

const decimalText = /^(-?)(\d+)(?:\.(\d+))?$/

export const zero: Decimal = { coefficient: 0n, scale: 0 }

/** Reads plain decimal text such as `-12.50`. Exponents, signs in front of positive numbers and blanks are refused. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = decimalText.exec(text)
  if (!match) return undefined
  const [, sign, integer, fraction = ''] = match
  const magnitude = BigInt(`${integer}${fraction}`)
  return { coefficient: sign === '-' ? -magnitude : magnitude, scale: fraction.length }
}

/** Like parseDecimal, for text that has been checked already. @throws RangeError when it is no decimal. */
export function decimal(text: string): Decimal {
  const value = parseDecimal(text)
  if (!value) throw new RangeError(`"${text}" is not a plain decimal number such as 12.50`)
  return value
}

/** Shortest plain text: no trailing zeros, no exponent. */
export function formatDecimal({ coefficient, scale }: Decimal): string {
  const sign = coefficient < 0n ? '-' : ''
  const digits = (coefficient < 0n ? -coefficient : coefficient).toString().padStart(scale + 1, '0')
  const integer = digits.slice(0, digits.length - scale)
  const fraction = scale === 0 ? '' : digits.slice(-scale).replace(/0+$/, '')
  const text = fraction === '' ? integer : `${integer}.${fraction}`
  return text === '0' ? '0' : sign + text
}

/** Kept, because computing one costs more than what it is used for. */
const powers = Array.from({ length: 80 }, (_, exponent) => 10n ** BigInt(exponent))

/** @throws RangeError below zero */
export const powerOfTen = (exponent: number): bigint => powers[exponent] ?? 10n ** BigInt(exponent)

const atScale = (value: Decimal, scale: number): bigint =>
  value.scale === scale ? value.coefficient : value.coefficient * powerOfTen(scale - value.scale)

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale)
  return { coefficient: atScale(a, scale) + atScale(b, scale), scale }
}

export const negate = (a: Decimal): Decimal => ({ coefficient: -a.coefficient, scale: a.scale })

export const subtract = (a: Decimal, b: Decimal): Decimal => add(a, negate(b))

export const multiply = (a: Decimal, b: Decimal): Decimal => ({
  coefficient: a.coefficient * b.coefficient,
  scale: a.scale + b.scale,
})

/** Negative, zero or positive, as a sorts before, with or after b. */
export function compare(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale)
  const difference = atScale(a, scale) - atScale(b, scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export const least = (a: Decimal, b: Decimal): Decimal => (compare(b, a) < 0 ? b : a)

export const greatest = (a: Decimal, b: Decimal): Decimal => (compare(b, a) > 0 ? b : a)

/** How many whole `size` the value holds; `up` counts a started one as whole. Neither may be negative. */
export function wholeParts(value: Decimal, size: Decimal, direction: 'up' | 'down'): bigint {
  const scale = Math.max(value.scale, size.scale)
  const divisor = atScale(size, scale)
  const dividend = atScale(value, scale)
  return direction === 'down' ? dividend / divisor : (dividend + divisor - 1n) / divisor
}

/** Integer division rounded half away from zero: the one rounding of amounts, see design rule 6. */
export function divideHalfAwayFromZero(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n
  const n = numerator < 0n ? -numerator : numerator
  const d = denominator < 0n ? -denominator : denominator
  const rounded = (2n * n + d) / (2n * d)
  return negative ? -rounded : rounded
}

/** Rounds half away from zero to `decimals` places. */
export function round(value: Decimal, decimals: number): Decimal {
  if (value.scale <= decimals) return value
  const divisor = powerOfTen(value.scale - decimals)
  return { coefficient: divideHalfAwayFromZero(value.coefficient, divisor), scale: decimals }
}

/** The coefficient of the value at exactly `scale` places. @throws RangeError when that would drop digits. */
export function coefficientAt(value: Decimal, scale: number): bigint {
  if (value.scale <= scale) return atScale(value, scale)
  const divisor = powerOfTen(value.scale - scale)
  if (value.coefficient % divisor !== 0n)
    throw new RangeError(`${formatDecimal(value)} has more than ${scale} decimals`)
  return value.coefficient / divisor
}
