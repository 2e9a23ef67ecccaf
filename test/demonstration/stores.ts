import { type ClickHouse, createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createPool, type Pool } from '@tidemark/infra/postgres/pool.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import type { Environment } from './installation.ts'

/** The stores, read directly: the demonstration believes rows, not what services say of themselves. */
export type Stores = { clickHouse: ClickHouse; postgres: Pool; close(): Promise<void> }

export function openStores(env: Environment): Stores {
  const database = databaseName(env.TIDEMARK_PREFIX ?? '')
  const clickHouse = createClickHouse({
    url: env.CLICKHOUSE_URL ?? '',
    user: env.CLICKHOUSE_USER ?? '',
    password: env.CLICKHOUSE_PASSWORD ?? '',
    database,
  })
  const postgres = createPool({
    url: env.POSTGRES_URL ?? '',
    database,
    user: 'tidemark_invoicer',
    password: env.POSTGRES_ROLE_PASSWORD ?? '',
    max: 2,
    applicationName: 'demonstration',
  })
  return {
    clickHouse,
    postgres,
    async close() {
      await Promise.all([clickHouse.close(), postgres.end()])
    },
  }
}

/**
 * Whether all that was acknowledged before the instant (milliseconds) is in ClickHouse: the relay's rows first, then
 * every partition of usage.events up to the instant at which the relay had published.
 */
export async function isComplete(
  stores: Stores,
  beforeMs: number,
  tenants: readonly string[],
  partitions: number,
): Promise<boolean> {
  const rows = await stores.clickHouse.query<{
    topic: string
    partitions: string
    until: string
    relayed: string
  }>(
    `SELECT topic, count() AS partitions, toUnixTimestamp64Milli(min(complete)) AS until, toUnixTimestamp64Milli(max(relayed)) AS relayed
     FROM (SELECT topic, log, partition, max(complete_until) AS complete, max(relayed_before) AS relayed
           FROM usage_watermarks GROUP BY topic, log, partition)
     GROUP BY topic`,
  )
  const relays = rows.filter(({ topic }) => tenants.some((tenant) => topic === `usage.inbound.${tenant}`))
  if (relays.length < tenants.length || relays.some(({ until }) => Number(until) < beforeMs)) return false
  const events = rows.find(({ topic }) => topic === 'usage.events')
  const needed = Math.max(beforeMs, ...relays.map(({ relayed }) => Number(relayed)))
  return events !== undefined && Number(events.partitions) === partitions && Number(events.until) >= needed
}

export async function countVerdicts(stores: Stores): Promise<Map<string, number>> {
  const rows = await stores.clickHouse.query<{ verdict: string; offsets: string }>(
    'SELECT verdict, count() AS offsets FROM usage_ledger FINAL GROUP BY verdict',
  )
  return new Map(rows.map(({ verdict, offsets }) => [verdict, Number(offsets)]))
}

export async function countRaw(stores: Stores): Promise<number> {
  const [row] = await stores.clickHouse.query<{ rows: string }>(
    'SELECT count() AS rows FROM usage_events FINAL',
  )
  return Number(row?.rows ?? 0)
}

/** Seals published, how far the last completed pass reached (sum of its cut's offsets), and the closed hours it left. */
export async function sealing(stores: Stores): Promise<{ seals: number; position: number; waiting: number }> {
  const [seals] = await stores.clickHouse.query<{ seals: string }>(
    'SELECT count() AS seals FROM usage_seals FINAL',
  )
  const [pass] = await stores.clickHouse.query<{ position: string; waiting: string }>(
    `SELECT arraySum(arrayMap(entry -> entry.3, cut)) AS position,
            arrayCount(cell -> cell.3 < toStartOfHour(now('UTC')), dirty) AS waiting
     FROM usage_seal_passes ORDER BY seal_version DESC LIMIT 1`,
  )
  return {
    seals: Number(seals?.seals ?? 0),
    position: Number(pass?.position ?? 0),
    waiting: Number(pass?.waiting ?? 0),
  }
}

/** The latest state of each invoice's payment attempts. */
export async function countAttempts(stores: Stores): Promise<Map<string, number>> {
  const { rows } = await stores.postgres.query<{ state: string; attempts: bigint }>(
    'SELECT state, count(*) AS attempts FROM billing.payment_attempts GROUP BY state',
  )
  return new Map(rows.map(({ state, attempts }) => [state, Number(attempts)]))
}
