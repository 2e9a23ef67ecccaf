import type { Queryable } from '@tidemark/infra/postgres/pool.ts'

/** What two writers may change at once. */
export type RevisedNoun = 'settings' | 'rates'

/** 0 before the first change. */
export async function readRevision(queryable: Queryable, tenant: string, noun: RevisedNoun): Promise<bigint> {
  const { rows } = await queryable.query<{ revision: bigint }>(
    'SELECT revision FROM billing.tax_revisions WHERE tenant = $1 AND noun = $2',
    [tenant, noun],
  )
  return rows[0]?.revision ?? 0n
}

/** As readRevision, and others that would change the noun wait until the transaction ends. */
export async function lockRevision(queryable: Queryable, tenant: string, noun: RevisedNoun): Promise<bigint> {
  await queryable.query(
    'INSERT INTO billing.tax_revisions (tenant, noun, revision) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING',
    [tenant, noun],
  )
  const { rows } = await queryable.query<{ revision: bigint }>(
    'SELECT revision FROM billing.tax_revisions WHERE tenant = $1 AND noun = $2 FOR UPDATE',
    [tenant, noun],
  )
  return rows[0]?.revision ?? 0n
}

export async function raiseRevision(
  queryable: Queryable,
  tenant: string,
  noun: RevisedNoun,
): Promise<bigint> {
  const { rows } = await queryable.query<{ revision: bigint }>(
    'UPDATE billing.tax_revisions SET revision = revision + 1 WHERE tenant = $1 AND noun = $2 RETURNING revision',
    [tenant, noun],
  )
  return rows[0]?.revision ?? 0n
}
