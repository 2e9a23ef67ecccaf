import { type Decimal, decimal } from '@tidemark/schemas/decimal.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import { type Static, Type } from 'typebox'
import { partOfDecimal } from '../pricing/fraction.ts'
import { billProgressively } from '../pricing/progressive.ts'
import {
  closed,
  factorOf,
  numberField,
  proratedFields,
  roundedOf,
  show,
  type VectorContext,
} from './input.ts'

/** Besides `price`, which is read as every price is. */
export const progressiveFields = {
  thresholds: Type.Array(numberField, { maxItems: 100 }),
  usageSteps: Type.Array(numberField, { maxItems: 1000 }),
  recurring: Type.Optional(Type.Object({ amount: numberField, ...proratedFields }, closed)),
}
const schema = Type.Object(progressiveFields)

/** @param rate what the vector's price makes of a quantity */
export function previewProgressive(
  { thresholds, usageSteps, recurring }: Static<typeof schema>,
  { currency, convention }: VectorContext,
  rate: (quantity: Decimal) => Micros,
) {
  const factor = factorOf(recurring ?? {}, convention, 'recurring')
  const recurringMicros = partOfDecimal(decimal(recurring?.amount ?? '0'), factor, currency)
  const billing = billProgressively(
    thresholds.map((threshold) => roundedOf(threshold, currency)),
    usageSteps.map(decimal),
    recurringMicros,
    rate,
  )
  const progressiveInvoices = billing.progressiveMicros.map(show)
  const shown = {
    finalFees: show(billing.finalFeesMicros),
    finalCredit: show(billing.finalCreditMicros),
    finalTotal: show(billing.finalTotalMicros),
  }
  return {
    progressiveInvoices,
    ...shown,
    trace: [
      ...progressiveInvoices.map((amount) => ({ step: 'progressive-invoice', amount })),
      { step: 'final', recurring: show(recurringMicros), ...shown },
    ],
  }
}
