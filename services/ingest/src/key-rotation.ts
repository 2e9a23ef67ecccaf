import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import type { ApiKeyMode, Scope } from '@tidemark/schemas/api-key.ts'
import { createApiKey } from './api-keys.ts'

export type RotatedKey = {
  readonly id: string
  /** Shown this once. */
  readonly key: string
  readonly replaces: string
  /** When the old key ends; RFC 3339. */
  readonly oldExpiresAt: string
  /** When the new one does. */
  readonly expiresAt: string | null
}

type OldKey = {
  tenant: string
  name: string
  mode: ApiKeyMode
  scopes: Scope[]
  nextExpiresAt: string | null
}

/**
 * Makes a key with the same name, mode, scopes and limits, and lets the old one end after the overlap, or sooner where it
 * ends sooner. A key that was made for 90 days is followed by one for 90 days. Undefined where no such key, of that tenant
 * if one is named, is valid.
 */
export function rotateApiKey(
  pool: Pool,
  { id, tenant, overlapSeconds }: { id: string; tenant?: string; overlapSeconds: number },
): Promise<RotatedKey | undefined> {
  return transaction(pool, async (connection) => {
    const { rows } = await connection.query<OldKey>(
      `SELECT tenant, name, mode, scopes, now() + (expires_at - created_at) AS "nextExpiresAt"
       FROM access.api_keys WHERE id = $1 AND tenant = coalesce($2, tenant) AND revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > now()) FOR UPDATE`,
      [id, tenant ?? null],
    )
    const old = rows[0]
    if (!old) return undefined
    const { nextExpiresAt: expiresAt, ...same } = old
    const made = await createApiKey(connection, { ...same, ...(expiresAt === null ? {} : { expiresAt }) })
    await connection.query(
      `INSERT INTO access.limits (tenant, key_id, events_per_second, bytes_per_second)
       SELECT tenant, $2, events_per_second, bytes_per_second FROM access.limits WHERE key_id = $1`,
      [id, made.id],
    )
    const ended = await connection.query<{ oldExpiresAt: string }>(
      `UPDATE access.api_keys SET expires_at = least(expires_at, now() + make_interval(secs => $2))
       WHERE id = $1 RETURNING expires_at AS "oldExpiresAt"`,
      [id, overlapSeconds],
    )
    return { ...made, replaces: id, oldExpiresAt: ended.rows[0]?.oldExpiresAt ?? '', expiresAt }
  })
}
