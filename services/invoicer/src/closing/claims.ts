import { createHash } from 'node:crypto'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatPeriod } from '@tidemark/schemas/billing-period.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { DueInvoice } from '../invoicing/due-invoice.ts'

/**
 * The id of a period's invoice follows from what it bills: two closers that compute the same period mean the same
 * invoice, and no attempt leaves an id that another would not have chosen. A UUID of version 8 (RFC 9562).
 */
export function invoiceIdOf(tenant: string, { subscription, kind, period }: DueInvoice): string {
  const name = JSON.stringify([tenant, subscription.key, formatInstant(period.start), kind, 1])
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/**
 * Claims periods for Tidemark. Waits for whoever claims the same ones, in one order for all, and leaves out what is
 * claimed already, by another closer or an old system.
 * @returns the ids of the invoices whose periods are now ours
 */
export async function claimPeriods(
  queryable: Queryable,
  tenant: string,
  due: readonly DueInvoice[],
  now: Micros1970,
): Promise<Set<string>> {
  const rows = due.map((each) => {
    const { start, end } = formatPeriod(each.period)
    return {
      subscription: each.subscription.key,
      period_start: start,
      kind: each.kind,
      period_end: end,
      invoice_id: invoiceIdOf(tenant, each),
    }
  })
  const claimed = await queryable.query<{ invoice_id: string }>(
    `INSERT INTO billing.billing_claims
       (tenant, subscription, period_start, kind, sequence, period_end, side, invoice_id, claimed_at)
     SELECT $1, subscription, period_start, kind, 1, period_end, 'tidemark', invoice_id, $3
     FROM json_to_recordset($2) AS claim
       (subscription text, period_start timestamptz, kind text, period_end timestamptz, invoice_id uuid)
     ORDER BY subscription, period_start, kind
     ON CONFLICT (tenant, subscription, period_start, kind, sequence) DO NOTHING
     RETURNING invoice_id`,
    [tenant, JSON.stringify(rows), formatInstant(now)],
  )
  return new Set(claimed.rows.map(({ invoice_id }) => invoice_id))
}
