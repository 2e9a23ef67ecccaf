import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import { type Invoice, readInvoice } from '../invoices/invoice.ts'
import { readLines } from '../invoices/lines.ts'

/** An invoice's rows in the words of its certificate, so that a changed row shows as a difference. */
export async function describeStored(
  queryable: Queryable,
  tenant: string,
  id: string,
): Promise<{ [key: string]: Json } | undefined> {
  const invoice = await readInvoice(queryable, tenant, id)
  if (!invoice) return undefined
  const lines = await readLines(queryable, invoice)
  const { rows } = await queryable.query<{ subscription: string; start: string; end: string }>(
    `SELECT subscription, period_start AS start, period_end AS end FROM billing.billing_claims WHERE invoice_id = $1`,
    [id],
  )
  return { ...describeInvoice(invoice, rows[0]), lines: lines.map((line) => describeLine(line, invoice)) }
}

function describeInvoice(
  invoice: Invoice,
  claim: { subscription: string; start: string; end: string } | undefined,
): { [key: string]: Json } {
  return {
    tenant: invoice.tenant,
    invoice: { id: invoice.id, number: invoice.number, issuedOn: invoice.issuedOn },
    customer: invoice.customer,
    subscription: invoice.subscription,
    period: { start: invoice.periodStart, end: invoice.periodEnd },
    claim: claim
      ? { subscription: claim.subscription, period: { start: claim.start, end: claim.end } }
      : null,
    currency: invoice.currency,
    total: formatMicros(invoice.totalMicros, invoice.currency),
  }
}

const describeLine = (
  line: Awaited<ReturnType<typeof readLines>>[number],
  { currency }: Invoice,
): { [key: string]: Json } => ({
  price: line.price,
  model: line.model,
  description: line.description,
  service: { start: line.serviceStart, end: line.serviceEnd },
  ...(line.meter === null || line.quantity === null
    ? {}
    : { meter: line.meter, quantity: formatDecimal(decimal(line.quantity)) }),
  amount: formatMicros(line.amountMicros, currency),
})

/** The same part of a certificate's document, for comparing. */
export function describeCertified(document: { [key: string]: Json }): { [key: string]: Json } {
  const { tenant, invoice, customer, subscription, period, currency, total, lines } = document
  return {
    tenant: tenant ?? null,
    invoice: invoice ?? null,
    customer: customer ?? null,
    subscription: subscription ?? null,
    period: period ?? null,
    claim: { subscription: subscription ?? null, period: period ?? null },
    currency: currency ?? null,
    total: total ?? null,
    lines: lines ?? null,
  }
}
