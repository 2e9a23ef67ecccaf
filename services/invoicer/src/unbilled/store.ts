import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Meter, MeterVersion } from '@tidemark/schemas/meter.ts'

type Row = { tenant: string; version: number; definition: Meter }

/** The newest version of every meter, of one tenant or of all. */
export async function readEveryMeter(queryable: Queryable, tenant?: string): Promise<MeterVersion[]> {
  const { rows } = await queryable.query<Row>(
    `SELECT DISTINCT ON (tenant, key) tenant, version, definition FROM metering.meter_versions
     WHERE $1::text IS NULL OR tenant = $1 ORDER BY tenant, key, version DESC`,
    [tenant ?? null],
  )
  return rows.map(({ definition, ...version }) => ({ ...definition, ...version }))
}
