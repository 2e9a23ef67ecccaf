import type { Queryable } from '@tidemark/infra/postgres/pool.ts'

/** The series of a tenant's ordinary invoices. */
export const invoiceSeries = 'invoice'

/** `ACME-000042`; a number that outgrows six digits just becomes longer. */
export const formatNumber = (prefix: string, number: bigint): string =>
  `${prefix}-${number.toString().padStart(6, '0')}`

/**
 * Reserves the next numbers for these invoices. The counter's row stays locked until the transaction ends, so that a
 * rollback returns them: a series has no gaps.
 * @returns the formatted number of each invoice, by id
 */
export async function reserveNumbers(
  queryable: Queryable,
  tenant: string,
  invoiceIds: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await queryable.query<{ prefix: string; last_number: bigint }>(
    `INSERT INTO billing.invoice_series AS s (tenant, series, prefix, last_number) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant, series) DO UPDATE SET last_number = s.last_number + excluded.last_number
     RETURNING prefix, last_number`,
    [tenant, invoiceSeries, tenant.toUpperCase(), invoiceIds.length],
  )
  const { prefix, last_number } = rows[0] ?? { prefix: '', last_number: 0n }
  const first = last_number - BigInt(invoiceIds.length) + 1n
  await queryable.query(
    `INSERT INTO billing.invoice_numbers (tenant, series, number, invoice_id)
     SELECT $1, $2, $3::bigint + position - 1, id
     FROM unnest($4::uuid[]) WITH ORDINALITY AS reserved (id, position)`,
    [tenant, invoiceSeries, first, invoiceIds],
  )
  return new Map(invoiceIds.map((id, index) => [id, formatNumber(prefix, first + BigInt(index))]))
}
