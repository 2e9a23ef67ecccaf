import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { VersionState } from '@tidemark/schemas/plan.ts'
import type { KnownVersion, KnownVersions } from './known.ts'

/** Where a kind with versions is kept; plans and add-ons are alike. */
export type VersionTables = { readonly items: string; readonly versions: string; readonly column: string }

export const planTables: VersionTables = {
  items: 'billing.plans',
  versions: 'billing.plan_versions',
  column: 'plan',
}
export const addOnTables: VersionTables = {
  items: 'billing.add_ons',
  versions: 'billing.add_on_versions',
  column: 'add_on',
}

type VersionRow<Item> = {
  id: string
  revision: bigint
  version: number
  state: VersionState
  sha256: string
  definition: Item
}

const versionOf = <Item>({ version, state, sha256, definition }: VersionRow<Item>): KnownVersion<Item> => ({
  version,
  state,
  sha256,
  item: definition,
})

/** The newest version of each, and the newest that is no draft. */
export async function readVersions<Item>(
  queryable: Queryable,
  { items, versions, column }: VersionTables,
  tenant: string,
  ids: readonly string[],
): Promise<Map<string, KnownVersions<Item>>> {
  if (ids.length === 0) return new Map()
  const { rows } = await queryable.query<VersionRow<Item>>(
    `SELECT i.id, i.revision, v.version, v.state, v.sha256, v.definition
     FROM ${items} i JOIN ${versions} v ON v.tenant = i.tenant AND v.${column} = i.id
     WHERE i.tenant = $1 AND i.id = ANY($2) AND v.version IN (
       (SELECT max(version) FROM ${versions} n WHERE n.tenant = i.tenant AND n.${column} = i.id),
       (SELECT max(version) FROM ${versions} n WHERE n.tenant = i.tenant AND n.${column} = i.id
          AND n.state <> 'draft')
     ) ORDER BY i.id, v.version DESC`,
    [tenant, ids],
  )
  const found = [...Map.groupBy(rows, ({ id }) => id)]
  return new Map(
    found.flatMap(([id, [newest, older]]) => {
      if (!newest) return []
      const released = newest.state === 'draft' ? older : newest
      return [
        [
          id,
          {
            revision: newest.revision,
            newest: versionOf(newest),
            released: released && versionOf(released),
          },
        ],
      ]
    }),
  )
}

/** Which of these ids some price has, in any version of a plan or an add-on. */
export async function readPriceIds(
  queryable: Queryable,
  tenant: string,
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const { rows } = await queryable.query<{ id: string }>(
    `SELECT DISTINCT price ->> 'id' AS id FROM (
       SELECT tenant, definition FROM billing.plan_versions
       UNION ALL SELECT tenant, definition FROM billing.add_on_versions
     ) AS v, jsonb_array_elements(definition -> 'prices') AS price
     WHERE tenant = $1 AND price ->> 'id' = ANY($2)`,
    [tenant, ids],
  )
  return new Set(rows.map(({ id }) => id))
}

/** A new version, or a new state or content of one; the database refuses to change what was published. */
export type StoredVersion = {
  id: string
  version: number
  state: VersionState
  sha256: string
  definition: Json
}

export async function storeVersions(
  queryable: Queryable,
  { items, versions, column }: VersionTables,
  tenant: string,
  changed: readonly StoredVersion[],
  at: string,
): Promise<void> {
  if (changed.length === 0) return
  await queryable.query(
    `INSERT INTO ${items} AS i (tenant, id, created_at)
     SELECT $1, id, $3 FROM unnest($2::text[]) AS id
     ON CONFLICT (tenant, id) DO UPDATE SET revision = i.revision + 1`,
    [tenant, changed.map(({ id }) => id), at],
  )
  await queryable.query(
    `INSERT INTO ${versions} AS v
       (tenant, ${column}, version, state, definition, sha256, created_at, published_at)
     SELECT $1, id, version, state, definition, sha256, $3, CASE WHEN state = 'published' THEN $3::timestamptz END
     FROM json_to_recordset($2) AS c (id text, version integer, state text, definition jsonb, sha256 text)
     ON CONFLICT (tenant, ${column}, version) DO UPDATE SET state = excluded.state,
       definition = excluded.definition, sha256 = excluded.sha256,
       published_at = coalesce(v.published_at, excluded.published_at),
       deprecated_at = CASE WHEN excluded.state = 'deprecated' THEN $3::timestamptz END`,
    [tenant, JSON.stringify(changed), at],
  )
}
