import { currencyExponents } from './currency.ts'
import { coefficientAt, type Decimal, decimal, formatDecimal, round } from './decimal.ts'

/** Amount in micro-units: 1e-6 of the currency's major unit (1 USD = 1_000_000n). */
export type Micros = bigint

export type Currency = keyof typeof currencyExponents

export const currencies = Object.keys(currencyExponents) as Currency[]

export const isCurrency = (code: string): code is Currency => Object.hasOwn(currencyExponents, code)

export const currencyExponent = (currency: Currency): number => currencyExponents[currency]

const microsScale = 6

/** Rounds an exact amount in major units once, half away from zero, to the minor unit; answers micro-units. */
export function roundToMinorUnit(amount: Decimal, currency: Currency): Micros {
  return coefficientAt(round(amount, currencyExponent(currency)), microsScale)
}

/** Minor units (cents), as payment processors count. @throws RangeError when the amount is not a whole number of them. */
export function minorUnits(micros: Micros, currency: Currency): bigint {
  return coefficientAt({ coefficient: micros, scale: microsScale }, currencyExponent(currency))
}

/** Micro-units of an amount in minor units. */
export const microsOfMinorUnits = (minor: bigint, currency: Currency): Micros =>
  minor * 10n ** BigInt(microsScale - currencyExponent(currency))

/** `12.50` as micro-units. @throws RangeError for text that is no decimal or has more than six decimals. */
export const parseMicros = (text: string): Micros => coefficientAt(decimal(text), microsScale)

/** Decimal text in major units with the currency's decimals (more only if the amount has more): `12.50`, `100`. */
export function formatMicros(micros: Micros, currency: Currency): string {
  const exponent = currencyExponent(currency)
  const text = formatDecimal({ coefficient: micros, scale: microsScale })
  const [integer = '0', fraction = ''] = text.split('.')
  const padded = fraction.padEnd(exponent, '0')
  return padded === '' ? integer : `${integer}.${padded}`
}
