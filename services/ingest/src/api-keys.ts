import { randomBytes, randomInt } from 'node:crypto'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { type ApiKeyMode, formatApiKey, hashApiKey, type Scope } from '@tidemark/schemas/api-key.ts'

export type NewApiKey = {
  tenant: string
  name: string
  scopes: readonly Scope[]
  mode: ApiKeyMode
  /** RFC 3339; without it the key works until it is revoked. */
  expiresAt?: string
}

/** What is known of a key afterwards; the key itself is kept nowhere. Times are RFC 3339. */
export type ApiKey = {
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly mode: ApiKeyMode
  readonly scopes: readonly Scope[]
  readonly createdAt: string
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly lastUsedAt: string | null
}

const idCharacters = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** Of a key. */
export const keyIdPattern = '^[a-z0-9]{16}$'

const randomId = (): string =>
  Array.from({ length: 16 }, () => idCharacters[randomInt(idCharacters.length)]).join('')

/** Gives back the key's text, the only time that anybody sees it. */
export async function createApiKey(pool: Queryable, wanted: NewApiKey): Promise<{ id: string; key: string }> {
  const id = randomId()
  const key = formatApiKey(wanted.mode, id, randomBytes(32))
  await pool.query(
    `INSERT INTO access.api_keys (id, tenant, name, mode, key_sha256, scopes, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [id, wanted.tenant, wanted.name, wanted.mode, hashApiKey(key), wanted.scopes, wanted.expiresAt ?? null],
  )
  return { id, key }
}

const columns = `id, tenant, name, mode, scopes, created_at AS "createdAt", expires_at AS "expiresAt",
  revoked_at AS "revokedAt", last_used_at AS "lastUsedAt"`

export async function listApiKeys(pool: Queryable): Promise<ApiKey[]> {
  const { rows } = await pool.query<ApiKey>(
    `SELECT ${columns} FROM access.api_keys ORDER BY tenant, created_at, id`,
  )
  return rows
}

/** A tenant's keys in the order in which they were made, from the one after `after` on. */
export async function listTenantKeys(
  pool: Queryable,
  tenant: string,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<ApiKey[]> {
  const { rows } = await pool.query<ApiKey>(
    `SELECT ${columns} FROM access.api_keys
     WHERE tenant = $1 AND ($2::text IS NULL OR (created_at, id) >
       (SELECT created_at, id FROM access.api_keys WHERE tenant = $1 AND id = $2))
     ORDER BY created_at, id LIMIT $3`,
    [tenant, after ?? null, limit],
  )
  return rows
}

/** With a tenant: undefined also for another one's key. */
export async function findApiKey(pool: Queryable, id: string, tenant?: string): Promise<ApiKey | undefined> {
  const { rows } = await pool.query<ApiKey>(
    `SELECT ${columns} FROM access.api_keys WHERE id = $1 AND tenant = coalesce($2, tenant)`,
    [id, tenant ?? null],
  )
  return rows[0]
}

/**
 * Works everywhere within 20 s, for so long services believe an answer. False where no such key, of that tenant if one is
 * named, is valid.
 */
export async function revokeApiKey(pool: Queryable, id: string, tenant?: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE access.api_keys SET revoked_at = now()
     WHERE id = $1 AND tenant = coalesce($2, tenant) AND revoked_at IS NULL`,
    [id, tenant ?? null],
  )
  return rowCount > 0
}
