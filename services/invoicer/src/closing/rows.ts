import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { NumberedInvoice } from './certificate.ts'
import type { Draft } from './draft.ts'

/** A draft as the invoice that is opened: nothing to pay means paid. */
export function openedInvoice(
  tenant: string,
  { id, number, issuedOn }: NumberedInvoice,
  { due, totalMicros }: Draft,
  now: Micros1970,
): Invoice {
  const isPaid = totalMicros === 0n
  return {
    id,
    tenant,
    number,
    customer: due.subscription.customer,
    subscription: due.subscription.key,
    periodStart: formatInstant(due.period.start),
    periodEnd: formatInstant(due.period.end),
    currency: due.subscription.plan.plan.currency,
    totalMicros,
    state: isPaid ? 'paid' : 'open',
    issuedOn,
    openedAt: formatInstant(now),
    paidAt: isPaid ? formatInstant(now) : null,
  }
}

/** A line as it is stored; amounts as text, because JSON's numbers would round them. */
export type LineRow = {
  invoice_id: string
  issued_on: string
  position: number
  price: string
  model: string
  description: string
  meter: string | null
  meter_version: number | null
  quantity: string | null
  currency: string
  amount_micros: string
  service_start: string
  service_end: string
}

export const lineRows = (invoice: Invoice, draft: Draft): LineRow[] =>
  draft.lines.map((line, index) => {
    const used = draft.usage.find(({ meter }) => meter.key === line.usage?.meter)
    return {
      invoice_id: invoice.id,
      issued_on: invoice.issuedOn,
      position: index + 1,
      price: line.price,
      model: line.model,
      description: line.description,
      meter: line.usage?.meter ?? null,
      meter_version: used?.meter.version ?? null,
      quantity: line.usage ? formatDecimal(line.usage.quantity) : null,
      currency: invoice.currency,
      amount_micros: line.amountMicros.toString(),
      service_start: invoice.periodStart,
      service_end: invoice.periodEnd,
    }
  })
