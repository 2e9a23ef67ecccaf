import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { type Currency, formatMicros } from '@tidemark/schemas/money.ts'
import { type Invoice, readInvoice } from '../invoices/invoice.ts'
import { readLines, type StoredLine } from '../invoices/lines.ts'

type Claim = { kind: string; subscription: string; start: string; end: string }
type Redemption = { coupon: string; sequence: number; amount: bigint }
type Tax = { id: string; rate: string; base: bigint; amount: bigint }

/** An invoice's rows in the words of its certificate, so that a changed row shows as a difference. */
export async function describeStored(
  queryable: Queryable,
  tenant: string,
  id: string,
): Promise<{ [key: string]: Json } | undefined> {
  const invoice = await readInvoice(queryable, tenant, id)
  if (!invoice) return undefined
  const lines = await readLines(queryable, invoice)
  const claims = await queryable.query<Claim>(
    `SELECT kind, subscription, period_start AS start, period_end AS end FROM billing.billing_claims
     WHERE invoice_id = $1`,
    [id],
  )
  const redemptions = await queryable.query<Redemption>(
    `SELECT coupon, sequence, amount_micros AS amount FROM billing.coupon_redemptions WHERE invoice_id = $1`,
    [id],
  )
  const taxes = await queryable.query<Tax>(
    `SELECT tax->>'id' AS id, tax->>'rate' AS rate, (tax->>'baseMicros')::bigint AS base,
       (tax->>'amountMicros')::bigint AS amount
     FROM billing.invoices, jsonb_array_elements(taxes) WITH ORDINALITY AS t (tax, position)
     WHERE billing.invoices.id = $1 ORDER BY position`,
    [id],
  )
  return {
    ...describeInvoice(invoice, claims.rows[0]),
    taxes: describeTaxes(taxes.rows, invoice.currency),
    redemptions: describeRedemptions(redemptions.rows, invoice.currency),
    lines: lines.map((line) => describeLine(line, invoice)),
  }
}

const describeRedemptions = (rows: readonly Redemption[], currency: Currency): Json =>
  rows
    .map(({ coupon, sequence, amount }) => ({ coupon, sequence, amount: formatMicros(amount, currency) }))
    .sort((a, b) => (a.coupon < b.coupon ? -1 : 1))

const describeTaxes = (rows: readonly Tax[], currency: Currency): Json =>
  rows.map(({ id, rate, base, amount }) => ({
    id,
    rate,
    base: formatMicros(base, currency),
    amount: formatMicros(amount, currency),
  }))

function describeInvoice(invoice: Invoice, claim: Claim | undefined): { [key: string]: Json } {
  const money = (micros: bigint) => formatMicros(micros, invoice.currency)
  return {
    tenant: invoice.tenant,
    invoice: { id: invoice.id, number: invoice.number, issuedOn: invoice.issuedOn },
    customer: invoice.customer,
    subscription: invoice.subscription,
    period: { start: invoice.periodStart, end: invoice.periodEnd },
    claim: claim
      ? { kind: claim.kind, subscription: claim.subscription, period: { start: claim.start, end: claim.end } }
      : null,
    currency: invoice.currency,
    discount: money(invoice.discountMicros),
    net: money(invoice.netMicros),
    taxTotal: money(invoice.taxMicros),
    total: money(invoice.totalMicros),
    amountDue: money(invoice.amountDueMicros),
  }
}

const describeLine = (line: StoredLine, { currency }: Invoice): { [key: string]: Json } => ({
  kind: line.kind,
  price: line.price,
  model: line.model,
  description: line.description,
  source: { kind: line.source, id: line.sourceId, version: line.sourceVersion },
  service: { start: line.serviceStart, end: line.serviceEnd },
  ...(line.meter === null ? {} : { meter: line.meter }),
  ...(line.quantity === null ? {} : { quantity: formatDecimal(decimal(line.quantity)) }),
  amount: formatMicros(line.amountMicros, currency),
  cap: formatMicros(line.capMicros, currency),
  discount: formatMicros(line.discountMicros, currency),
  net: formatMicros(line.netMicros, currency),
  tax: formatMicros(line.taxMicros, currency),
})

const certified = [
  'tenant',
  'invoice',
  'customer',
  'subscription',
  'period',
  'currency',
  'discount',
  'net',
  'taxTotal',
  'total',
  'amountDue',
  'taxes',
  'lines',
]

/** The same part of a certificate's document, for comparing. */
export function describeCertified(document: { [key: string]: Json }): { [key: string]: Json } {
  const { kind, subscription, period, redemptions } = document
  return {
    ...Object.fromEntries(certified.map((name) => [name, document[name] ?? null])),
    redemptions: Array.isArray(redemptions) ? [...redemptions].sort(byCoupon) : null,
    claim: { kind: kind ?? null, subscription: subscription ?? null, period: period ?? null },
  }
}

const byCoupon = (a: Json, b: Json): number => (String(Object(a).coupon) < String(Object(b).coupon) ? -1 : 1)
