import { invalidRequest } from './api-error.ts'

/**
 * The least amounts of https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, in minor units.
 * Currencies that are not listed have no least amount here. Zero-decimal currencies are just integers.
 */
const leastAmounts: Record<string, number> = {
  aud: 50,
  brl: 50,
  cad: 50,
  chf: 50,
  dkk: 250,
  eur: 50,
  gbp: 30,
  jpy: 50,
  mxn: 1000,
  nok: 300,
  nzd: 50,
  pln: 200,
  sek: 300,
  usd: 50,
}
const greatestAmount = 99_999_999

/** Refuses what Stripe refuses before it executes anything. */
export function checkAmount(amount: number, currency: string): void {
  if (!/^[a-z]{3}$/.test(currency)) {
    throw invalidRequest(`Invalid currency: ${currency}. Send a lowercase ISO 4217 code.`, {
      param: 'currency',
    })
  }
  if (amount < 1) {
    throw invalidRequest('This value must be greater than or equal to 1.', {
      param: 'amount',
      code: 'parameter_invalid_integer',
    })
  }
  const least = leastAmounts[currency] ?? 1
  if (amount < least) {
    throw invalidRequest(`Amount must be at least ${least} of the minor unit of ${currency}.`, {
      param: 'amount',
      code: 'amount_too_small',
    })
  }
  if (amount > greatestAmount) {
    throw invalidRequest(`Amount must be no more than ${greatestAmount} of the minor unit of ${currency}.`, {
      param: 'amount',
      code: 'amount_too_large',
    })
  }
}
