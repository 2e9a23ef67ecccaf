import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import type { Draft, DraftLine } from './compose.ts'

/** A draft as previews answer it: amounts as decimal text in major units, with the numbers of each step. */
export function showDraft(draft: Draft) {
  const { due, invoice, lines } = draft
  const { currency, customer, key } = due.subscription
  const money = (micros: bigint) => formatMicros(micros, currency)
  return {
    customer,
    subscription: key,
    kind: due.kind,
    period: formatPeriod(due.period),
    currency,
    lines: lines.map((line) => showLine(line, money)),
    discounts: invoice.discounts.map(({ id, amountMicros }) => ({ coupon: id, amount: money(amountMicros) })),
    taxes: invoice.taxes.map(({ id, rate, baseMicros, amountMicros, reason }) => ({
      id,
      rate: formatDecimal(rate),
      base: money(baseMicros),
      amount: money(amountMicros),
      reason: reason ?? null,
    })),
    discount: money(invoice.discountTotalMicros),
    net: money(invoice.netTotalMicros),
    tax: money(invoice.taxTotalMicros),
    total: money(invoice.totalMicros),
    amountDue: money(invoice.amountDueMicros),
    trace: invoice.trace,
  }
}

const showLine = (line: DraftLine, money: (micros: bigint) => string) => ({
  kind: line.kind,
  price: line.price ?? '',
  model: line.model,
  description: line.description,
  source: line.source,
  service: formatPeriod(line.service),
  meter: line.usage?.meter ?? null,
  quantity: line.quantity === undefined ? null : formatDecimal(line.quantity),
  amount: money(line.amountMicros),
  cap: money(line.capMicros),
  discount: money(line.discountMicros),
  net: money(line.netMicros),
  tax: money(line.taxMicros),
  trace: line.trace,
})
