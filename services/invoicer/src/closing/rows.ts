import { formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { Draft } from '../invoicing/compose.ts'
import { termsOfPeriod } from '../invoicing/terms.ts'
import type { NumberedInvoice } from './certificate.ts'

/** A draft as the invoice that is opened: nothing to pay means paid. */
export function openedInvoice(
  tenant: string,
  { id, number, issuedOn }: NumberedInvoice,
  { due, invoice }: Draft,
  now: Micros1970,
): Invoice {
  const isPaid = invoice.amountDueMicros === 0n
  return {
    id,
    tenant,
    number,
    customer: due.subscription.customer,
    subscription: due.subscription.key,
    periodStart: formatInstant(due.period.start),
    periodEnd: formatInstant(due.period.end),
    currency: due.subscription.currency,
    discountMicros: invoice.discountTotalMicros,
    netMicros: invoice.netTotalMicros,
    taxMicros: invoice.taxTotalMicros,
    totalMicros: invoice.totalMicros,
    amountDueMicros: invoice.amountDueMicros,
    state: isPaid ? 'paid' : 'open',
    issuedOn,
    openedAt: formatInstant(now),
    paidAt: isPaid ? formatInstant(now) : null,
  }
}

/** An invoice as it is stored; amounts as text, because JSON's numbers would round them. */
export const invoiceRow = (invoice: Invoice, draft: Draft) => ({
  ...invoice,
  discountMicros: `${invoice.discountMicros}`,
  netMicros: `${invoice.netMicros}`,
  taxMicros: `${invoice.taxMicros}`,
  totalMicros: `${invoice.totalMicros}`,
  amountDueMicros: `${invoice.amountDueMicros}`,
  creditsMicros: `${draft.invoice.creditsMicros}`,
  taxInclusive: termsOfPeriod(draft.due).taxInclusive,
  taxes: draft.invoice.taxes.map(({ id, rate, baseMicros, amountMicros, reason }) => ({
    id,
    rate: formatDecimal(rate),
    baseMicros: `${baseMicros}`,
    amountMicros: `${amountMicros}`,
    ...(reason === undefined ? {} : { reason }),
  })),
})

/** The lines of an invoice as they are stored, in their order. */
export const lineRows = (invoice: Invoice, draft: Draft) =>
  draft.lines.map((line, index) => ({
    invoice_id: invoice.id,
    issued_on: invoice.issuedOn,
    position: index + 1,
    kind: line.kind,
    price: line.price ?? '',
    model: line.model,
    description: line.description,
    source: line.source.kind,
    source_id: line.source.id,
    source_version: line.source.version,
    meter: line.usage?.meter ?? null,
    meter_version: line.usage?.meterVersion ?? null,
    quantity: line.quantity === undefined ? null : formatDecimal(line.quantity),
    currency: invoice.currency,
    amount_micros: `${line.amountMicros}`,
    cap_micros: `${line.capMicros}`,
    discount_micros: `${line.discountMicros}`,
    net_micros: `${line.netMicros}`,
    tax_micros: `${line.taxMicros}`,
    service_start: formatInstant(line.service.start),
    service_end: formatInstant(line.service.end),
  }))

/** The coupons that an invoice has redeemed: those that took something off. */
export const redemptionsOf = ({ coupons, invoice }: Draft) =>
  coupons.flatMap(({ coupon, redemptions }) => {
    const amount = invoice.discounts
      .filter(({ id }) => id === coupon.id)
      .reduce((sum, { amountMicros }) => sum + amountMicros, 0n)
    return amount === 0n ? [] : [{ coupon: coupon.id, sequence: redemptions + 1, amountMicros: amount }]
  })
