import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { type Invoice, type InvoiceRow, invoiceColumns, invoiceOf } from './invoice.ts'

export type InvoiceFilter = {
  state: string | undefined
  customer: string | undefined
  /** The last invoice of the page before. */
  after: { issuedOn: string; id: string } | undefined
  limit: number
}

/** A tenant's invoices, the latest first. */
export async function listInvoices(
  queryable: Queryable,
  tenant: string,
  { state, customer, after, limit }: InvoiceFilter,
): Promise<Invoice[]> {
  const { rows } = await queryable.query<InvoiceRow>(
    `SELECT ${invoiceColumns} FROM billing.invoices
     WHERE tenant = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR customer = $3)
       AND ($4::date IS NULL OR (issued_on, id) < ($4, $5::uuid))
     ORDER BY issued_on DESC, id DESC LIMIT $6`,
    [tenant, state ?? null, customer ?? null, after?.issuedOn ?? null, after?.id ?? null, limit],
  )
  return rows.map(invoiceOf)
}

/** Of each subscription the last invoice that was due by then: what a close has come to. */
export async function latestClosed(
  queryable: Queryable,
  tenant: string,
  dueBy: Micros1970,
  limit: number,
): Promise<Invoice[]> {
  const { rows } = await queryable.query<InvoiceRow>(
    `SELECT ${invoiceColumns} FROM billing.invoices WHERE tenant = $1 AND id IN (
       SELECT DISTINCT ON (subscription) invoice_id FROM billing.billing_claims
       WHERE tenant = $1 AND side = 'tidemark'
         AND CASE kind WHEN 'advance' THEN period_start ELSE period_end END <= $2
       ORDER BY subscription, period_start DESC, kind DESC LIMIT $3
     ) ORDER BY number`,
    [tenant, formatInstant(dueBy), limit],
  )
  return rows.map(invoiceOf)
}
