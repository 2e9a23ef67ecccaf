import type { PerUnitPrice } from '@tidemark/schemas/catalogue.ts'
import { type Decimal, decimal, multiply } from '@tidemark/schemas/decimal.ts'

/** Exact amount in major units, before rounding: quantity times unit price. */
export const ratePerUnit = (price: Pick<PerUnitPrice, 'unitPrice'>, quantity: Decimal): Decimal =>
  multiply(quantity, decimal(price.unitPrice))
