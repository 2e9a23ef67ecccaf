import {
  compare,
  type Decimal,
  divideHalfAwayFromZero,
  multiply,
  powerOfTen,
  zero,
} from '@tidemark/schemas/decimal.ts'
import { type Currency, type Micros, roundToMinorUnit } from '@tidemark/schemas/money.ts'

/** What of a balance can be used for an invoice: never more than its total, nothing when that is zero or less. */
export const usableCredits = (totalMicros: Micros, availableMicros: Micros): Micros =>
  totalMicros <= 0n || availableMicros <= 0n
    ? 0n
    : totalMicros < availableMicros
      ? totalMicros
      : availableMicros

export type Wallet = {
  readonly id: string
  /** The lowest is used first; of equal ones the earlier in the list. */
  readonly priority: bigint
  readonly balanceMicros: Micros
}

export type Drawdown = {
  /** In the order of use; wallets that give nothing are left out. */
  readonly drawn: readonly { readonly id: string; readonly amountMicros: Micros }[]
  readonly amountDueMicros: Micros
}

/** Takes an amount from wallets by priority, not by position; what they cannot give stays due. */
export function drawDown(amountMicros: Micros, wallets: readonly Wallet[]): Drawdown {
  const drawn: { id: string; amountMicros: Micros }[] = []
  let due = amountMicros
  for (const { id, balanceMicros } of wallets.toSorted((a, b) => Number(a.priority - b.priority))) {
    const used = usableCredits(due, balanceMicros)
    if (used > 0n) drawn.push({ id, amountMicros: used })
    due -= used
  }
  return { drawn, amountDueMicros: due }
}

export type CreditPurchase = { readonly amountMicros: Micros; readonly credits: Decimal }

/** Places of bought credits where the rate does not divide the money: as many as averages have. */
const creditDecimals = 12

/** Credits that are bought follow the rounded money: 1034 at 0.001 cost 1.03, and are 1030. */
export function buyCredits(credits: Decimal, rate: Decimal, currency: Currency): CreditPurchase {
  const amountMicros = roundToMinorUnit(multiply(credits, rate), currency)
  return { amountMicros, credits: creditsFor(amountMicros, rate) }
}

/** Credits for an amount of money, to twelve decimals. @throws RangeError for a rate that is not above zero */
export function creditsFor(amountMicros: Micros, rate: Decimal): Decimal {
  if (compare(rate, zero) <= 0) throw new RangeError('the rate of a credit must be above zero')
  const coefficient = divideHalfAwayFromZero(
    amountMicros * powerOfTen(rate.scale + creditDecimals),
    rate.coefficient * 1_000_000n,
  )
  return { coefficient, scale: creditDecimals }
}

/** Credits that are given stay as they are; the money says what they are worth. */
export const grantCredits = (credits: Decimal, rate: Decimal, currency: Currency): CreditPurchase => ({
  amountMicros: roundToMinorUnit(multiply(credits, rate), currency),
  credits,
})
