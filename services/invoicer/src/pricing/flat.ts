import type { FlatPrice } from '@tidemark/schemas/catalogue.ts'
import { type Decimal, decimal } from '@tidemark/schemas/decimal.ts'

/** Exact amount in major units: the fee itself. */
export const rateFlat = (price: Pick<FlatPrice, 'amount'>): Decimal => decimal(price.amount)
