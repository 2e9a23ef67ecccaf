import { type Decimal, decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatMicros, type Micros, roundToMinorUnit } from '@tidemark/schemas/money.ts'
import { Type } from 'typebox'
import { partOfDecimal, whole } from '../fraction.ts'
import { billProgressively } from '../progressive.ts'
import { proration } from '../proration.ts'
import { needsOf, ratePrice } from '../rate.ts'
import { createDateReader } from './dates.ts'
import { bodyOf, closed, dayCountField, most, periodField, quantityField, timeZoneField } from './fields.ts'
import { previewKind } from './kind.ts'
import { loosePrice, readPrice } from './read-price.ts'

const body = bodyOf('progressive', {
  thresholds: Type.Array(quantityField, { maxItems: 100 }),
  usageSteps: Type.Array(quantityField, { maxItems: most.events }),
  price: loosePrice,
  recurring: Type.Optional(
    Type.Object(
      { amount: quantityField, period: Type.Optional(periodField), service: Type.Optional(periodField) },
      closed,
    ),
  ),
  timeZone: timeZoneField,
  convention: Type.Optional(Type.Object({ dayCount: dayCountField }, closed)),
})

/** Invoices within a period whenever usage reaches a threshold, credited by the one at its end. */
export const progressivePreview = previewKind(body, (given) => {
  const { currency, recurring, convention, thresholds, usageSteps } = given
  const dayCount = convention?.dayCount ?? 'half-open'
  const reader = createDateReader(given.timeZone, dayCount)
  const dates =
    recurring?.period && recurring.service
      ? {
          period: reader.period('recurring.period', recurring.period),
          service: reader.period('recurring.service', recurring.service),
        }
      : undefined
  const read = readPrice(given.price, {}, currency)
  if ('faults' in read) return { faults: [...reader.faults, ...read.faults] }
  if (reader.faults.length > 0) return { faults: reader.faults }
  const { price } = read
  const needs = needsOf(price)
  if (needs.events || needs.changes || price.model === 'capacity')
    return {
      faults: [
        { field: 'price.model', reason: `${price.model} needs more than a quantity; use one that does not` },
      ],
    }
  const part = dates ? proration(dates.period, dates.service, { dayCount, timeZone: reader.timeZone }) : whole
  const fee = recurring === undefined ? 0n : partOfDecimal(decimal(recurring.amount), part, currency)
  const steps: { step: string; quantity: string; amount: string }[] = []
  const rate = (quantity: Decimal): Micros => {
    const { amountMicros } = ratePrice(price, { quantity }, currency)
    const step = { quantity: formatDecimal(quantity), amount: formatMicros(amountMicros, currency) }
    if (steps.at(-1)?.quantity !== step.quantity) steps.push({ step: 'usage', ...step })
    return amountMicros
  }
  const billed = billProgressively(
    thresholds.map((threshold) => roundToMinorUnit(decimal(threshold), currency)),
    usageSteps.map(decimal),
    fee,
    rate,
  )
  const shown = (micros: Micros) => formatMicros(micros, currency)
  return {
    answer: {
      progressiveInvoices: billed.progressiveMicros.map(shown),
      finalFees: shown(billed.finalFeesMicros),
      finalCredit: shown(billed.finalCreditMicros),
      finalTotal: shown(billed.finalTotalMicros),
      trace: [...steps, { step: 'recurring', amount: shown(fee) }],
    },
  }
})
