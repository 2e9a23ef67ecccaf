import type { Queryable } from '@tidemark/infra/postgres/pool.ts'

/** The latest version of a meter that carries a schema; a version never changes. */
export type SchemaVersion = {
  readonly tenant: string
  /** The meter's. */
  readonly key: string
  readonly version: number
  readonly eventType: string
}

/** Which there are: little, since it is asked every few seconds. */
export async function readSchemaVersions(pool: Queryable): Promise<SchemaVersion[]> {
  const { rows } = await pool.query<SchemaVersion>(
    `SELECT tenant, key, version, event_type AS "eventType" FROM metering.event_schemas
     ORDER BY tenant, event_type, key`,
  )
  return rows
}

/** At 16 KiB each, as much as an answer should hold. */
const schemasPerQuery = 200

/** Their schemas as JSON; of a meter that has a later version by now, the schema of that one. */
export async function readSchemas(
  pool: Queryable,
  wanted: readonly SchemaVersion[],
): Promise<(SchemaVersion & { readonly schema: string })[]> {
  const found: (SchemaVersion & { schema: string })[] = []
  for (let from = 0; from < wanted.length; from += schemasPerQuery) {
    const slice = wanted.slice(from, from + schemasPerQuery)
    const { rows } = await pool.query<SchemaVersion & { schema: string }>(
      `SELECT tenant, key, version, event_type AS "eventType", schema::text AS schema FROM metering.event_schemas
       WHERE (tenant, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
      [slice.map(({ tenant }) => tenant), slice.map(({ key }) => key)],
    )
    found.push(...rows)
  }
  return found
}
