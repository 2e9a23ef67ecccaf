import { formatInstant } from '@tidemark/schemas/instant.ts'
import { formatMicros } from '@tidemark/schemas/money.ts'
import type { LegacyRecord } from '@tidemark/schemas/reconciliation.ts'
import type { ExpectedInvoice } from './expectation.ts'

export type FindingCounts = { exact: number; rounding: number; missing: number; unexplained: number }

const roundedWrongly = 6
const priceFactor = 110n

/**
 * What the old billing system would have computed, with planted differences: six totals a minor unit off, one invoice
 * missing, one at a price from before the last increase.
 */
export function planLegacy(
  invoices: readonly ExpectedInvoice[],
  now: number,
): { records: LegacyRecord[]; expected: FindingCounts } {
  const records = invoices.flatMap((invoice, index) => {
    if (index === 41) return []
    const minor = invoice.customer.currency === 'JPY' ? 1_000_000n : 10_000n
    const off = index >= 10 && index < 10 + roundedWrongly ? (index % 2 === 0 ? minor : -minor) : 0n
    const total =
      index === 77 ? ((invoice.totalMicros * 100n) / priceFactor / minor) * minor : invoice.totalMicros + off
    return [recordOf(invoice, total, now)]
  })
  const expected = {
    exact: invoices.length - roundedWrongly - 2,
    rounding: roundedWrongly,
    missing: 1,
    unexplained: 1,
  }
  return { records, expected }
}

const recordOf = ({ customer }: ExpectedInvoice, totalMicros: bigint, now: number): LegacyRecord => ({
  tenant: customer.tenant,
  kind: 'invoice',
  key: `${customer.key}-sub`,
  period: { start: formatInstant(customer.closed.start), end: formatInstant(customer.closed.end) },
  fields: { total: { amount: formatMicros(totalMicros, customer.currency), currency: customer.currency } },
  observedAt: formatInstant(now),
})
