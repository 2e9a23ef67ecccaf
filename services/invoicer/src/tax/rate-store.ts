import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { raiseRevision, readRevision } from './revisions.ts'
import type { TaxRate } from './tax-rate.ts'

type RateRow = {
  id: string
  tax: string
  percent: string
  from: string
  to: string | null
  country: string | null
  region: string | null
  tax_code: string | null
  description: string | null
}

/** Dates as text: a driver would make instants of them. Trailing zeros are not part of a rate. */
const columns = `id, tax, trim_scale(percent)::text AS percent, valid_from::text AS "from", valid_to::text AS "to",
  country, region, tax_code, description`

/** All of a tenant's, by id and time. */
export async function readTaxRates(
  queryable: Queryable,
  tenant: string,
): Promise<{ rates: TaxRate[]; revision: bigint }> {
  const { rows } = await queryable.query<RateRow>(
    `SELECT ${columns} FROM billing.tax_rates WHERE tenant = $1 ORDER BY id, valid_from`,
    [tenant],
  )
  return { rates: rows.map(rateOf), revision: await readRevision(queryable, tenant, 'rates') }
}

/** The list as it is from now on: what it no longer names is gone, and calculations made before stay as they were. */
export async function replaceTaxRates(
  queryable: Queryable,
  tenant: string,
  rates: readonly TaxRate[],
  at: string,
): Promise<bigint> {
  await queryable.query('DELETE FROM billing.tax_rates WHERE tenant = $1', [tenant])
  await queryable.query(
    `INSERT INTO billing.tax_rates
       (tenant, id, valid_from, valid_to, tax, percent, country, region, tax_code, description, updated_at)
     SELECT $1, id, "from", "to", tax, percent, country, region, "taxCode", description, $3
     FROM json_to_recordset($2) AS r (id text, "from" date, "to" date, tax text, percent numeric, country text,
       region text, "taxCode" text, description text)`,
    [tenant, JSON.stringify(rates), at],
  )
  return raiseRevision(queryable, tenant, 'rates')
}

const rateOf = (row: RateRow): TaxRate => ({
  id: row.id,
  tax: row.tax,
  percent: row.percent,
  from: row.from,
  ...(row.to === null ? {} : { to: row.to }),
  ...(row.country === null ? {} : { country: row.country }),
  ...(row.region === null ? {} : { region: row.region }),
  ...(row.tax_code === null ? {} : { taxCode: row.tax_code }),
  ...(row.description === null ? {} : { description: row.description }),
})
