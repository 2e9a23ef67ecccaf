import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { type Currency, isCurrency } from '@tidemark/schemas/money.ts'
import type { InvoiceState } from './states.ts'

/** An invoice as it is stored; instants are ISO text with six decimals. */
export type Invoice = {
  readonly id: string
  readonly tenant: string
  readonly number: string
  readonly customer: string
  readonly subscription: string
  readonly periodStart: string
  readonly periodEnd: string
  readonly currency: Currency
  /** Taken off by coupons, before tax. */
  readonly discountMicros: bigint
  /** After discounts, without tax. */
  readonly netMicros: bigint
  readonly taxMicros: bigint
  /** net + tax. */
  readonly totalMicros: bigint
  /** After credits. */
  readonly amountDueMicros: bigint
  readonly state: InvoiceState
  readonly issuedOn: string
  readonly openedAt: string | null
  readonly paidAt: string | null
}

export type InvoiceRow = Omit<Invoice, 'currency'> & { currency: string }

/** For SELECT and RETURNING; read the rows with `invoiceOf`. */
export const invoiceColumns = `id, tenant, number, customer, subscription, period_start AS "periodStart",
  period_end AS "periodEnd", currency, discount_micros AS "discountMicros", net_micros AS "netMicros",
  tax_micros AS "taxMicros", total_micros AS "totalMicros", amount_due_micros AS "amountDueMicros", state, issued_on AS "issuedOn",
  opened_at AS "openedAt", paid_at AS "paidAt"`

export function invoiceOf(row: InvoiceRow): Invoice {
  const { currency } = row
  if (!isCurrency(currency)) throw new RangeError(`"${currency}" is no currency of the table`)
  return { ...row, currency }
}

/** One invoice of a tenant; undefined when the tenant has none with that id. */
export async function readInvoice(
  queryable: Queryable,
  tenant: string,
  id: string,
): Promise<Invoice | undefined> {
  const { rows } = await queryable.query<InvoiceRow>(
    `SELECT ${invoiceColumns} FROM billing.invoices WHERE id = $1 AND tenant = $2`,
    [id, tenant],
  )
  return rows[0] && invoiceOf(rows[0])
}
