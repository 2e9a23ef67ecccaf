import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import { termOf } from './commitments.ts'
import type { DueInvoice } from './due-invoice.ts'

/**
 * What a subscription's earlier invoices have charged of the term that ends with a period: their lines whose service
 * begins in it, caps and true-ups included, before discounts and tax. Nothing when no term ends.
 */
export async function readSpent(
  queryable: Queryable,
  tenant: string,
  { subscription, kind, period, whole }: DueInvoice,
): Promise<Micros> {
  const term = kind === 'advance' ? undefined : termOf(subscription, { served: period, whole })
  if (!term) return 0n
  const { rows } = await queryable.query<{ spent: string | null }>(
    `SELECT sum(l.amount_micros + l.cap_micros)::text AS spent
     FROM billing.billing_claims b
     JOIN billing.invoice_lines l ON l.invoice_id = b.invoice_id AND l.tenant = b.tenant
     WHERE b.tenant = $1 AND b.subscription = $2 AND (b.period_start < $5 OR b.kind = 'advance')
       AND l.service_start >= $3 AND l.service_start < $4`,
    [tenant, subscription.key, formatInstant(term.from), formatInstant(term.to), formatInstant(period.start)],
  )
  return BigInt(rows[0]?.spent ?? 0)
}
