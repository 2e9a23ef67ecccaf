import type { Queryable } from '@tidemark/infra/postgres/pool.ts'

/** Raised by every change of the tenant’s catalogue or of a subscription; 0 before the first. */
export async function readCatalogueRevision(
  queryable: Queryable,
  tenant: string,
  lock: '' | 'FOR SHARE' = '',
): Promise<bigint> {
  const { rows } = await queryable.query<{ revision: bigint }>(
    `SELECT revision FROM billing.catalogue_revisions WHERE tenant = $1 ${lock}`,
    [tenant],
  )
  return rows[0]?.revision ?? 0n
}
