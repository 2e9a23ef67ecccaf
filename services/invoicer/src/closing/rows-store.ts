import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { Draft } from '../invoicing/compose.ts'
import type { Certificate } from './certificate.ts'
import { invoiceRow, lineRows, redemptionsOf } from './rows.ts'

export type Opened = {
  readonly draft: Draft
  readonly invoice: Invoice
  readonly certificate: Certificate
}

export async function insertInvoices(
  queryable: Queryable,
  tenant: string,
  opened: readonly Opened[],
): Promise<void> {
  const invoices = opened.map(({ invoice, draft }) => invoiceRow(invoice, draft))
  await queryable.query(
    `INSERT INTO billing.invoices (id, tenant, number, kind, customer, subscription, period_start, period_end,
       currency, discount_micros, net_micros, tax_micros, total_micros, credits_micros, amount_due_micros,
       tax_inclusive, taxes, state, issued_on, opened_at, paid_at, updated_at)
     SELECT id, tenant, number, 'recurring', customer, subscription, "periodStart", "periodEnd",
       currency, "discountMicros", "netMicros", "taxMicros", "totalMicros", "creditsMicros", "amountDueMicros",
       "taxInclusive", taxes, state, "issuedOn", "openedAt", "paidAt", "openedAt"
     FROM json_to_recordset($1) AS i (id uuid, tenant text, number text, customer text, subscription text,
       "periodStart" timestamptz, "periodEnd" timestamptz, currency text, "discountMicros" bigint, "netMicros" bigint,
       "taxMicros" bigint, "totalMicros" bigint, "creditsMicros" bigint, "amountDueMicros" bigint,
       "taxInclusive" boolean, taxes jsonb, state text, "issuedOn" date, "openedAt" timestamptz, "paidAt" timestamptz)`,
    [JSON.stringify(invoices)],
  )
  const lines = opened.flatMap(({ invoice, draft }) => lineRows(invoice, draft))
  if (lines.length === 0) return
  await queryable.query(
    `INSERT INTO billing.invoice_lines (tenant, invoice_id, issued_on, position, kind, price, model, description,
       source, source_id, source_version, meter, meter_version, quantity, currency, amount_micros, cap_micros,
       discount_micros, net_micros, tax_micros, service_start, service_end)
     SELECT $1, l.* FROM json_to_recordset($2) AS l (invoice_id uuid, issued_on date, position smallint, kind text,
       price text, model text, description text, source text, source_id text, source_version integer, meter text,
       meter_version integer, quantity numeric, currency text, amount_micros bigint, cap_micros bigint,
       discount_micros bigint, net_micros bigint, tax_micros bigint, service_start timestamptz,
       service_end timestamptz)`,
    [tenant, JSON.stringify(lines)],
  )
}

/**
 * Writes which coupons the invoices have redeemed. Each redemption has its number, so that two closers never redeem one
 * twice.
 * @throws Failure `catalogue_changed`, retryable, when somebody else has redeemed one meanwhile
 */
export async function insertRedemptions(
  queryable: Queryable,
  tenant: string,
  opened: readonly Opened[],
  now: Micros1970,
): Promise<void> {
  const rows = opened.flatMap(({ invoice, draft }) =>
    redemptionsOf(draft).map(({ coupon, sequence, amountMicros }) => ({
      subscription: invoice.subscription,
      coupon,
      sequence,
      invoice_id: invoice.id,
      currency: invoice.currency,
      amount_micros: `${amountMicros}`,
    })),
  )
  if (rows.length === 0) return
  const { rowCount } = await queryable.query(
    `INSERT INTO billing.coupon_redemptions
       (tenant, subscription, coupon, sequence, invoice_id, currency, amount_micros, redeemed_at)
     SELECT $1, r.*, $3 FROM json_to_recordset($2) AS r (subscription text, coupon text, sequence integer,
       invoice_id uuid, currency text, amount_micros bigint)
     ON CONFLICT DO NOTHING`,
    [tenant, JSON.stringify(rows), formatInstant(now)],
  )
  if (rowCount !== rows.length)
    throw new Failure('A coupon was redeemed by another close meanwhile; close the periods again', {
      code: 'catalogue_changed',
      retryable: true,
    })
}
