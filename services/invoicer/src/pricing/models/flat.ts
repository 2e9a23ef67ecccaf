import { decimal } from '@tidemark/schemas/decimal.ts'
import type { PriceOf } from '@tidemark/schemas/price.ts'
import type { ExactAmount } from '../rated.ts'

/** The fee itself, whatever was used. */
export function rateFlat(price: Pick<PriceOf<'flat'>, 'amount'>): ExactAmount {
  const exact = decimal(price.amount)
  return { exact, steps: [{ step: 'fee', amount: exact }] }
}
