import {
  type Decimal,
  decimal,
  divideHalfAwayFromZero,
  formatDecimal,
  powerOfTen,
} from '@tidemark/schemas/decimal.ts'
import { type Static, Type } from 'typebox'
import { formatFraction, partOfDecimal } from '../pricing/fraction.ts'
import type { Fraction } from '../pricing/rated.ts'
import {
  closed,
  factorOf,
  numberField,
  periodSchema,
  serviceSchema,
  show,
  type VectorContext,
} from './input.ts'

export const prorationFields = {
  segments: Type.Array(
    Type.Object({ amount: Type.Optional(numberField), period: periodSchema, service: serviceSchema }, closed),
    { minItems: 1, maxItems: 100 },
  ),
}
const schema = Type.Object(prorationFields)

/** Places of a factor in answers. */
const factorDecimals = 18

export function previewProration({ segments }: Static<typeof schema>, context: VectorContext) {
  const { currency, convention, exactDecimals } = context
  const priced = segments.map((segment, index) => {
    const factor = factorOf(segment, convention, `segments[${index}]`)
    const amount = decimal(segment.amount ?? '0')
    return { factor, amount, micros: partOfDecimal(amount, factor, currency) }
  })
  const total = priced.reduce((sum, { micros }) => sum + micros, 0n)
  const exact = sumOf(priced.map(({ factor, amount }) => scaled(amount, factor)))
  return {
    daysUsed: String(priced.reduce((sum, { factor }) => sum + factor.numerator, 0n)),
    daysInPeriod: String(priced.reduce((sum, { factor }) => sum + factor.denominator, 0n)),
    factor: printed(sumOf(priced.map(({ factor }) => factor)), factorDecimals),
    lines: priced.map(({ micros }) => show(micros)),
    amount: exactDecimals === undefined ? show(total) : printed(exact, exactDecimals),
    trace: priced.map(({ factor, amount, micros }) => ({
      step: 'proration',
      amount: formatDecimal(amount),
      factor: formatFraction(factor),
      prorated: show(micros),
    })),
  }
}

const scaled = ({ coefficient, scale }: Decimal, { numerator, denominator }: Fraction): Fraction => ({
  numerator: coefficient * numerator,
  denominator: powerOfTen(scale) * denominator,
})

const sumOf = (fractions: readonly Fraction[]): Fraction =>
  fractions.reduce((a, b) => ({
    numerator: a.numerator * b.denominator + b.numerator * a.denominator,
    denominator: a.denominator * b.denominator,
  }))

const printed = ({ numerator, denominator }: Fraction, decimals: number): string =>
  formatDecimal({
    coefficient: divideHalfAwayFromZero(numerator * powerOfTen(decimals), denominator),
    scale: decimals,
  })
