import { add, compare, type Decimal, decimal, multiply, subtract } from '@tidemark/schemas/decimal.ts'
import type { Currency, Micros } from '@tidemark/schemas/money.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import { partOfDecimal } from './fraction.ts'
import type { ExactAmount, Fraction } from './rated.ts'

/** The least that the price costs, rounded where only a part of it is due; what is above it at the overage factor. */
export function commit(price: Price, rated: ExactAmount, part: Fraction, currency: Currency): ExactAmount {
  if (price.model === 'flat' || price.commitment === undefined) return rated
  const { overageFactor = '1' } = price.commitment
  const minimum = partOf(decimal(price.commitment.minimum), part, currency)
  const divisor = rated.divisor ?? 1n
  const threshold = scaled(minimum, divisor)
  const isBelow = compare(rated.exact, threshold) <= 0
  const over = multiply(subtract(rated.exact, threshold), decimal(overageFactor))
  const exact = isBelow ? threshold : add(threshold, over)
  const step = { step: 'commitment', minimum, overageFactor, before: exactOf(rated) }
  return { exact, divisor, steps: [...rated.steps, { ...step, amount: exactOf({ exact, divisor }) }] }
}

const partOf = (amount: Decimal, part: Fraction, currency: Currency): Decimal =>
  part.numerator === part.denominator ? amount : microsDecimal(partOfDecimal(amount, part, currency))

const microsDecimal = (micros: Micros): Decimal => ({ coefficient: micros, scale: 6 })

const scaled = ({ coefficient, scale }: Decimal, by: bigint): Decimal => ({
  coefficient: coefficient * by,
  scale,
})

/** Decimals to which a quotient that does not come out even is shown; the rounding to money rests on the quotient itself. */
const shownDecimals = 20

export function exactOf({ exact, divisor = 1n }: Pick<ExactAmount, 'exact' | 'divisor'>): Decimal {
  if (divisor === 1n) return exact
  const { coefficient, scale } = exact
  const shown = (coefficient * 10n ** BigInt(shownDecimals)) / divisor
  return { coefficient: shown, scale: scale + shownDecimals }
}
