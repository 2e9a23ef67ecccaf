import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { type MappingRow, mappingColumns } from './mapping-store.ts'

type ListedSubject = {
  key: string
  customer: string
  subscription: string | null
  from: string | null
  to: string | null
}

type SubjectFilter = { customer: string | undefined; key: string | undefined }
export type SubjectPlace = { key: string; from: string | null }

/** Who a metered key belongs to, by key and time, after a place. */
export async function listSubjects(
  queryable: Queryable,
  tenant: string,
  { customer, key }: SubjectFilter,
  after: SubjectPlace | undefined,
  limit: number,
): Promise<ListedSubject[]> {
  const { rows } = await queryable.query<MappingRow>(
    `SELECT ${mappingColumns} FROM billing.subjects
     WHERE tenant = $1 AND ($2::text IS NULL OR customer = $2) AND ($3::text IS NULL OR subject = $3)
       AND ($4::text IS NULL OR (subject, coalesce(lower(during), '-infinity')) >
         ($4, coalesce($5::timestamptz, '-infinity')))
     ORDER BY subject, coalesce(lower(during), '-infinity') LIMIT $6`,
    [tenant, customer ?? null, key ?? null, after?.key ?? null, after?.from ?? null, limit],
  )
  return rows.map(({ subject, ...row }) => ({ key: subject, ...row }))
}
