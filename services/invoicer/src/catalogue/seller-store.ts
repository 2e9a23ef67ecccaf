import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Seller } from '@tidemark/schemas/seller.ts'
import { invoiceSeries } from '../closing/numbers.ts'

type KnownSeller = { seller: Seller; revision: bigint }

export async function readSeller(queryable: Queryable, tenant: string): Promise<KnownSeller | undefined> {
  const { rows } = await queryable.query<{ definition: Seller; revision: bigint }>(
    'SELECT definition, revision FROM billing.sellers WHERE tenant = $1',
    [tenant],
  )
  return rows[0] && { seller: rows[0].definition, revision: rows[0].revision }
}

/** The series goes on counting under a new prefix: no number is ever given twice. */
export async function storeSeller(
  queryable: Queryable,
  tenant: string,
  seller: Seller,
  at: string,
): Promise<void> {
  await queryable.query(
    `INSERT INTO billing.sellers AS s (tenant, definition, revision, created_at, updated_at)
     VALUES ($1, $2, 1, $3, $3)
     ON CONFLICT (tenant) DO UPDATE SET definition = excluded.definition, revision = s.revision + 1,
       updated_at = excluded.updated_at`,
    [tenant, JSON.stringify(seller), at],
  )
  const prefix = seller.invoiceSeries?.prefix
  if (prefix === undefined) return
  await queryable.query(
    `INSERT INTO billing.invoice_series (tenant, series, prefix, last_number) VALUES ($1, $2, $3, 0)
     ON CONFLICT (tenant, series) DO UPDATE SET prefix = excluded.prefix`,
    [tenant, invoiceSeries, prefix],
  )
}
