import type { Queryable } from '@tidemark/infra/postgres/pool.ts'

/** Per second; null is no limit. */
export type Rates = { readonly eventsPerSecond: number | null; readonly bytesPerSecond: number | null }

/** Of one key, or, without `keyId`, of all keys of the tenant together. */
export type Limit = Rates & { readonly tenant: string; readonly keyId: string | null }

/** PostgreSQL's integer; nobody sends more in a second. */
export const highestRate = 2_147_483_647

const columns = `tenant, key_id AS "keyId", events_per_second AS "eventsPerSecond",
  bytes_per_second AS "bytesPerSecond"`
const isLimit = '(events_per_second IS NOT NULL OR bytes_per_second IS NOT NULL)'

/** All that limit anything; of one tenant, if it is named. */
export async function readLimits(pool: Queryable, tenant?: string): Promise<Limit[]> {
  const { rows } = await pool.query<Limit>(
    `SELECT ${columns} FROM access.limits WHERE ${isLimit} AND tenant = coalesce($1, tenant)
     ORDER BY tenant, key_id NULLS FIRST`,
    [tenant ?? null],
  )
  return rows
}

export type LimitChange = {
  tenant: string
  /** Left out: the tenant itself. */
  keyId?: string
  /** What is left out stays as it is; null lifts it. */
  rates: Partial<Rates>
}

/** Undefined where there is no such tenant, or it has no such key. */
export async function setLimit(pool: Queryable, change: LimitChange): Promise<Limit | undefined> {
  const { eventsPerSecond, bytesPerSecond } = change.rates
  const { rows } = await pool.query<Limit>(
    `INSERT INTO access.limits AS l (tenant, key_id, events_per_second, bytes_per_second)
     SELECT t.id, k.id, $3::integer, $4::integer FROM access.tenants t LEFT JOIN access.api_keys k ON k.tenant = t.id AND k.id = $2::text
     WHERE t.id = $1 AND ($2::text IS NULL OR k.id IS NOT NULL)
     ON CONFLICT (tenant, key_id) DO UPDATE SET updated_at = now(),
       events_per_second = CASE WHEN $5::boolean THEN excluded.events_per_second ELSE l.events_per_second END,
       bytes_per_second = CASE WHEN $6::boolean THEN excluded.bytes_per_second ELSE l.bytes_per_second END
     RETURNING ${columns}`,
    [
      change.tenant,
      change.keyId ?? null,
      eventsPerSecond ?? null,
      bytesPerSecond ?? null,
      eventsPerSecond !== undefined,
      bytesPerSecond !== undefined,
    ],
  )
  return rows[0]
}
