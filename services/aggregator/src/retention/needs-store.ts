import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatInstant, type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { isCarried, type MeterVersion } from '@tidemark/schemas/meter.ts'
import { readLastPass } from '../sealing/pass-store.ts'
import { type Month, microsPerDay } from './month.ts'
import type { RetentionNeeds, StoredMonth } from './plan.ts'

/** Tables whose partitions are months. */
export const monthlyTables = ['usage_events', 'usage_hourly'] as const

export async function readStoredMonths(clickHouse: ClickHouse, before: Micros1970): Promise<StoredMonth[]> {
  const rows = await clickHouse.query<{ month: string; rows: string }>(
    `SELECT partition AS month, toString(sum(rows)) AS rows FROM system.parts
     WHERE database = currentDatabase() AND active AND table IN {tables:Array(String)}
       AND toUInt32(partition) <= toYYYYMM(fromUnixTimestamp64Micro({before:Int64}, 'UTC'))
     GROUP BY partition`,
    { tables: monthlyTables, before },
  )
  return rows.map(({ month, rows }) => ({ month: Number(month), rows: BigInt(rows) }))
}

/** What rests on usage before an instant. Billing is read through its granted views. */
export async function readNeeds(
  sources: { clickHouse: ClickHouse; pool: Queryable; readMeters(): Promise<readonly MeterVersion[]> },
  before: Micros1970,
  certificateDays: number,
  now: Micros1970,
): Promise<RetentionNeeds> {
  const { clickHouse, pool } = sources
  const open = await pool.query<{ tenant: string; subscription: string; from: string; to: string | null }>(
    'SELECT tenant, subscription, unbilled_from AS "from", unbilled_to AS "to" FROM billing.unbilled_periods ORDER BY 1, 2',
  )
  const certified = await pool.query<{ tenant: string; from: string; to: string; issued: string }>(
    `SELECT tenant, period_start AS "from", period_end AS "to", issued_on AS issued FROM billing.certified_periods
     WHERE period_start < $1 AND issued_on > ($2::timestamptz AT TIME ZONE 'UTC')::date`,
    [formatInstant(before), formatInstant(now - certificateDays * microsPerDay)],
  )
  const pass = await readLastPass(clickHouse)
  return {
    open: open.rows.map((row) => ({
      ...row,
      from: instantOf(row.from),
      to: row.to === null ? Number.POSITIVE_INFINITY : instantOf(row.to),
    })),
    certified: certified.rows.map((row) => ({
      tenant: row.tenant,
      from: instantOf(row.from),
      to: instantOf(row.to),
      until: instantOf(`${row.issued}T00:00:00Z`) + certificateDays * microsPerDay,
    })),
    unsealed: [...new Set((pass?.dirty ?? []).map(({ hour }) => monthOf(hour)))],
    carried: await readCarried(clickHouse, await sources.readMeters(), before),
  }
}

async function readCarried(clickHouse: ClickHouse, meters: readonly MeterVersion[], before: Micros1970) {
  const carrying = meters.filter(isCarried)
  const rows = await clickHouse.query<{ tenant: string; type: string; month: Month }>(
    `SELECT DISTINCT tenant, type, toYYYYMM(hour) AS month FROM usage_ledger_by_cell
     WHERE (tenant, type) IN arrayZip({tenants:Array(String)}, {types:Array(String)})
       AND toUnixTimestamp(hour) < {before:UInt32}`,
    {
      tenants: carrying.map(({ tenant }) => tenant),
      types: carrying.map(({ eventType }) => eventType),
      before: Math.floor(before / 1_000_000),
    },
  )
  return rows.flatMap(({ tenant, type, month }) =>
    carrying
      .filter((meter) => meter.tenant === tenant && meter.eventType === type)
      .map(({ key }) => ({ tenant, meter: key, month })),
  )
}

function instantOf(text: string): Micros1970 {
  const instant = parseInstant(text)
  if (instant === undefined) throw new RangeError(`"${text}" is no instant`)
  return instant
}

function monthOf(hour: number): Month {
  const date = new Date(hour * 1000)
  return date.getUTCFullYear() * 100 + date.getUTCMonth() + 1
}
