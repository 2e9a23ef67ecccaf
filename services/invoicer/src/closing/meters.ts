import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Meter, MeterVersion } from '@tidemark/schemas/meter.ts'

type Row = { version: number; definition: Meter }

/** The newest version of each meter. */
export async function readNewestMeters(
  queryable: Queryable,
  tenant: string,
  keys: readonly string[],
): Promise<Map<string, MeterVersion>> {
  const { rows } = await queryable.query<Row>(
    `SELECT DISTINCT ON (key) version, definition FROM metering.meter_versions
     WHERE tenant = $1 AND key = ANY($2) ORDER BY key, version DESC`,
    [tenant, keys],
  )
  return new Map(rows.map(({ version, definition }) => [definition.key, { ...definition, tenant, version }]))
}

/** One version, as a certificate names it. */
export async function readMeterVersion(
  queryable: Queryable,
  tenant: string,
  key: string,
  version: number,
): Promise<MeterVersion | undefined> {
  const { rows } = await queryable.query<Row>(
    `SELECT version, definition FROM metering.meter_versions WHERE tenant = $1 AND key = $2 AND version = $3`,
    [tenant, key, version],
  )
  return rows[0] && { ...rows[0].definition, tenant, version }
}
