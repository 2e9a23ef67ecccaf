import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { Mapping } from './known.ts'
import { instantOf } from './stored-instant.ts'

export type MappingRow = {
  subject: string
  customer: string
  subscription: string | null
  from: string | null
  to: string | null
}

export const mappingColumns =
  'subject, customer, subscription, lower(during) AS "from", upper(during) AS "to"'

const mappingOf = ({ subject, customer, subscription, from, to }: MappingRow): Mapping => ({
  subject,
  customer,
  from: from === null ? -Infinity : instantOf(from),
  to: to === null ? Infinity : instantOf(to),
  ...(subscription === null ? {} : { subscription }),
})

/** Those of some customers, and whoever else has one of some subjects. */
export async function readMappings(
  queryable: Queryable,
  tenant: string,
  customers: readonly string[],
  subjects: readonly string[],
): Promise<Mapping[]> {
  if (customers.length === 0 && subjects.length === 0) return []
  const { rows } = await queryable.query<MappingRow>(
    `SELECT ${mappingColumns} FROM billing.subjects
     WHERE tenant = $1 AND (customer = ANY($2) OR subject = ANY($3))`,
    [tenant, customers, subjects],
  )
  return rows.map(mappingOf)
}

/** A customer's list of subjects is the whole of it: what it no longer names is removed. */
export async function storeMappings(
  queryable: Queryable,
  tenant: string,
  customers: readonly string[],
  mappings: readonly Mapping[],
): Promise<void> {
  if (customers.length === 0) return
  await queryable.query('DELETE FROM billing.subjects WHERE tenant = $1 AND customer = ANY($2)', [
    tenant,
    customers,
  ])
  if (mappings.length === 0) return
  await queryable.query(
    `INSERT INTO billing.subjects (tenant, subject, customer, subscription, during)
     SELECT $1, subject, customer, subscription, tstzrange("from", "to", '[)')
     FROM json_to_recordset($2) AS m
       (subject text, customer text, subscription text, "from" timestamptz, "to" timestamptz)`,
    [tenant, JSON.stringify(mappings.map(mappingRow))],
  )
}

const mappingRow = ({ subject, customer, subscription, from, to }: Mapping) => ({
  subject,
  customer,
  subscription: subscription ?? null,
  from: from === -Infinity ? null : formatInstant(from),
  to: to === Infinity ? null : formatInstant(to),
})
