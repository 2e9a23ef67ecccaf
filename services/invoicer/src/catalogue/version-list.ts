import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { VersionState } from '@tidemark/schemas/plan.ts'
import { addOnTables, planTables, type VersionTables } from './version-store.ts'

export type VersionedKind = 'plans' | 'addOns'

export const versionTables: Record<VersionedKind, VersionTables> = { plans: planTables, addOns: addOnTables }

export type ListedVersion<Item> = {
  definition: Item
  version: number
  state: VersionState
  sha256: string
  createdAt: string
  publishedAt: string | null
  deprecatedAt: string | null
  /** Of the plan or add-on, raised by every change of any of its versions. */
  revision: bigint
}

const versionColumns = `v.definition, v.version, v.state, v.sha256, v.created_at AS "createdAt",
  v.published_at AS "publishedAt", v.deprecated_at AS "deprecatedAt"`

/** The newest version of each, by id, after an id. */
export async function listNewestVersions<Item>(
  queryable: Queryable,
  kind: VersionedKind,
  tenant: string,
  after: string,
  limit: number,
): Promise<ListedVersion<Item>[]> {
  const { items, versions, column } = versionTables[kind]
  const { rows } = await queryable.query<ListedVersion<Item>>(
    `SELECT ${versionColumns}, i.revision FROM ${items} i JOIN LATERAL (
       SELECT * FROM ${versions} WHERE tenant = i.tenant AND ${column} = i.id ORDER BY version DESC LIMIT 1
     ) AS v ON true
     WHERE i.tenant = $1 AND i.id > $2 ORDER BY i.id LIMIT $3`,
    [tenant, after, limit],
  )
  return rows
}

/** The versions of one, newest first, before a version. */
export async function listVersionsOf<Item>(
  queryable: Queryable,
  kind: VersionedKind,
  tenant: string,
  id: string,
  { before, limit }: { before: number; limit: number },
): Promise<ListedVersion<Item>[]> {
  const { items, versions, column } = versionTables[kind]
  const { rows } = await queryable.query<ListedVersion<Item>>(
    `SELECT ${versionColumns}, i.revision
     FROM ${items} i JOIN ${versions} v ON v.tenant = i.tenant AND v.${column} = i.id
     WHERE i.tenant = $1 AND i.id = $2 AND v.version < $3 ORDER BY v.version DESC LIMIT $4`,
    [tenant, id, before, limit],
  )
  return rows
}

/** Versions count from 1 and never come near it. */
export const afterAllVersions = 2_147_483_647

/** One version; undefined when there is none. */
export async function readVersion<Item>(
  queryable: Queryable,
  kind: VersionedKind,
  tenant: string,
  id: string,
  version: number,
): Promise<ListedVersion<Item> | undefined> {
  const [found] = await listVersionsOf<Item>(queryable, kind, tenant, id, { before: version + 1, limit: 1 })
  return found?.version === version ? found : undefined
}

/** The newest version of one, drafts included; undefined when there is none. */
export async function readNewestVersion<Item>(
  queryable: Queryable,
  kind: VersionedKind,
  tenant: string,
  id: string,
): Promise<ListedVersion<Item> | undefined> {
  const [found] = await listVersionsOf<Item>(queryable, kind, tenant, id, {
    before: afterAllVersions,
    limit: 1,
  })
  return found
}
