import { compare, type Decimal, decimal, formatDecimal, negate, subtract } from '@tidemark/schemas/decimal.ts'
import { currencyExponent, isCurrency } from '@tidemark/schemas/money.ts'
import type { Cause } from '@tidemark/schemas/reconciliation.ts'

/** Amount in major units as decimal text, with its currency. */
export type Amount = { readonly amount: string; readonly currency: string }

export type Judgement = {
  readonly cause: Cause
  /** The rule that decided, by name. */
  readonly rule: string
  /** New minus old, decimal text in major units. */
  readonly difference: string
  readonly currency: string
}

export type Tolerance = { readonly roundingMinorUnits: number }

/**
 * Judges one pair, or one side whose counterpart did not come in time. The rules are tried in this order; the first that
 * applies gives the cause: missing, currency, exact, rounding, unexplained.
 */
export function judge(old: Amount | undefined, current: Amount | undefined, tolerance: Tolerance): Judgement {
  if (old && current) return judgePair(old, current, tolerance)
  if (old) {
    const difference = formatDecimal(negate(decimal(old.amount)))
    return { cause: 'missing_in_new', rule: 'no-new-side-in-time', difference, currency: old.currency }
  }
  if (!current) throw new RangeError('a case has at least one side')
  const difference = formatDecimal(decimal(current.amount))
  return { cause: 'missing_in_old', rule: 'no-old-side-in-time', difference, currency: current.currency }
}

function judgePair(old: Amount, current: Amount, { roundingMinorUnits }: Tolerance): Judgement {
  const difference = subtract(decimal(current.amount), decimal(old.amount))
  const judged = (cause: Cause, rule: string): Judgement => ({
    cause,
    rule,
    difference: formatDecimal(difference),
    currency: current.currency,
  })
  if (old.currency !== current.currency) return judged('currency', 'currencies-differ')
  if (difference.coefficient === 0n) return judged('exact', 'amounts-equal')
  const within = compare(absolute(difference), minorUnits(roundingMinorUnits, current.currency)) <= 0
  return within
    ? judged('rounding', `within-${roundingMinorUnits}-minor-units`)
    : judged('unexplained', 'no-rule-applies')
}

const absolute = (value: Decimal): Decimal => (value.coefficient < 0n ? negate(value) : value)

const minorUnits = (count: number, currency: string): Decimal => ({
  coefficient: BigInt(count),
  scale: isCurrency(currency) ? currencyExponent(currency) : 2,
})
