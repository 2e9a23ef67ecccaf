import { type Decimal, divideHalfAwayFromZero, powerOfTen } from '@tidemark/schemas/decimal.ts'
import { type Currency, currencyExponent, isCurrency } from '@tidemark/schemas/money.ts'

type StripeForm = {
  /** Decimal places of an amount in the API. */
  readonly decimals: number
  /** Amounts must be multiples of it. */
  readonly step: bigint
}

const twoDecimalsWithoutFraction: StripeForm = { decimals: 2, step: 100n }
const threeDecimalsEndingInZero: StripeForm = { decimals: 3, step: 10n }

/**
 * Where Stripe's amounts differ from ISO 4217 (https://docs.stripe.com/currencies, "Zero-decimal currencies",
 * "Three-decimal currencies" and "Special cases"). HUF and TWD have two decimals in charges as in ISO 4217; only payouts,
 * which Tidemark does not make, leave them out.
 */
const deviations: Partial<Record<Currency, StripeForm>> = {
  BHD: threeDecimalsEndingInZero,
  ISK: twoDecimalsWithoutFraction,
  JOD: threeDecimalsEndingInZero,
  KWD: threeDecimalsEndingInZero,
  MGA: { decimals: 0, step: 1n },
  OMR: threeDecimalsEndingInZero,
  TND: threeDecimalsEndingInZero,
  UGX: twoDecimalsWithoutFraction,
}

const formOf = (currency: Currency): StripeForm =>
  deviations[currency] ?? { decimals: currencyExponent(currency), step: 1n }

/**
 * The amount to ask for, in Stripe's units: the nearest that the currency allows there, half away from zero, so that
 * 5.124 KWD becomes 5120 and 1.50 MGA becomes 2.
 * @param minor in the currency's ISO 4217 minor unit
 */
export function stripeAmount(minor: bigint, currency: Currency): bigint {
  const { decimals, step } = formOf(currency)
  const exact: Decimal = { coefficient: minor * powerOfTen(decimals), scale: currencyExponent(currency) }
  return divideHalfAwayFromZero(exact.coefficient, powerOfTen(exact.scale) * step) * step
}

/** ISO 4217 minor units of an amount in Stripe's units. A currency that is not in the table stays as it is. */
export function minorOfStripe(amount: bigint, code: string): bigint {
  const currency = code.toUpperCase()
  if (!isCurrency(currency)) return amount
  const { decimals } = formOf(currency)
  return (amount * powerOfTen(currencyExponent(currency))) / powerOfTen(decimals)
}

/** What can be collected of an amount: the whole of it but where the currency is coarser at Stripe than in ISO 4217. */
export const payableMinor = (minor: bigint, currency: Currency): bigint =>
  minorOfStripe(stripeAmount(minor, currency), currency)
