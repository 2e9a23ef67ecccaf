import type { Queryable } from '@tidemark/infra/postgres/pool.ts'

/** Whether a tenant hears `duplicate` at the door. */
export type MemorySwitch = { readonly tenant: string; readonly enabled: boolean }

/** The numbers of all tenants whose acknowledged ids are remembered. */
export async function readRememberedTenants(pool: Queryable): Promise<Set<number>> {
  const { rows } = await pool.query<{ number: number }>(
    'SELECT number FROM access.tenants WHERE remembers_ids',
  )
  return new Set(rows.map(({ number }) => number))
}

/** Undefined where there is no such tenant. */
export async function readMemorySwitch(pool: Queryable, tenant: string): Promise<MemorySwitch | undefined> {
  const { rows } = await pool.query<MemorySwitch>(
    'SELECT id AS tenant, remembers_ids AS enabled FROM access.tenants WHERE id = $1',
    [tenant],
  )
  return rows[0]
}

/** Undefined where there is no such tenant. */
export async function setMemorySwitch(
  pool: Queryable,
  { tenant, enabled }: MemorySwitch,
): Promise<MemorySwitch | undefined> {
  const { rows } = await pool.query<MemorySwitch>(
    'UPDATE access.tenants SET remembers_ids = $2 WHERE id = $1 RETURNING id AS tenant, remembers_ids AS enabled',
    [tenant, enabled],
  )
  return rows[0]
}
