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

export async function listApiKeys(pool: Queryable): Promise<ApiKey[]> {
  const { rows } = await pool.query<ApiKey>(
    `SELECT id, tenant, name, mode, scopes, created_at AS "createdAt", expires_at AS "expiresAt",
            revoked_at AS "revokedAt", last_used_at AS "lastUsedAt"
     FROM access.api_keys ORDER BY tenant, created_at, id`,
  )
  return rows
}

/** Works everywhere within 20 s, for so long services believe an answer. False where no such key is valid. */
export async function revokeApiKey(pool: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    'UPDATE access.api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL',
    [id],
  )
  return rowCount > 0
}
