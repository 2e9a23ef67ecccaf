import { type Decimal, divideHalfAwayFromZero, powerOfTen } from '@tidemark/schemas/decimal.ts'
import { type Currency, type Micros, microsOfMinorUnits } from '@tidemark/schemas/money.ts'
import type { Fraction } from './rated.ts'

const microsPerMajor = 1_000_000n

export const whole: Fraction = { numerator: 1n, denominator: 1n }

/** A quotient of micro-units, rounded once, half away from zero, to the currency's minor unit. */
export function roundQuotient(numerator: bigint, denominator: bigint, currency: Currency): Micros {
  const unit = microsOfMinorUnits(1n, currency)
  return divideHalfAwayFromZero(numerator, denominator * unit) * unit
}

/** A part of an amount, rounded once. */
export const partOfMicros = (micros: Micros, part: Fraction, currency: Currency): Micros =>
  roundQuotient(micros * part.numerator, part.denominator, currency)

/** A part of an exact amount in major units, rounded once: an unrounded amount is never rounded before it is prorated. */
export const partOfDecimal = ({ coefficient, scale }: Decimal, part: Fraction, currency: Currency): Micros =>
  roundQuotient(coefficient * microsPerMajor * part.numerator, powerOfTen(scale) * part.denominator, currency)

/** That many percent of an amount, rounded once. */
export const percentOfMicros = (micros: Micros, percent: Decimal, currency: Currency): Micros =>
  partOfMicros(micros, percentFraction(percent), currency)

export const percentFraction = ({ coefficient, scale }: Decimal): Fraction => ({
  numerator: coefficient,
  denominator: 100n * powerOfTen(scale),
})

/** `17/31`, as traces show it. */
export const formatFraction = ({ numerator, denominator }: Fraction): string => `${numerator}/${denominator}`
