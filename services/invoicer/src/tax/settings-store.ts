import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { LocalDate } from '@tidemark/schemas/local-date.ts'
import type { TaxProviderName } from './port.ts'
import { raiseRevision, readRevision } from './revisions.ts'

/** From a date on a provider answers. */
export type TaxSetting = { readonly from: LocalDate; readonly provider: TaxProviderName }

/** Who answers for a tenant that has chosen nobody: its own rates, of which it may have none. */
const defaultProvider: TaxProviderName = 'fixed'

export const providerOn = (settings: readonly TaxSetting[], date: LocalDate): TaxProviderName =>
  settings.findLast(({ from }) => from <= date)?.provider ?? defaultProvider

/** In the order of time. */
export async function readTaxSettings(queryable: Queryable, tenant: string): Promise<TaxSetting[]> {
  const { rows } = await queryable.query<TaxSetting>(
    `SELECT valid_from::text AS "from", provider FROM billing.tax_settings WHERE tenant = $1 ORDER BY valid_from`,
    [tenant],
  )
  return rows
}

/** Chooses from a date on; the choice of the same date is replaced. Later choices stay. */
export async function storeTaxSetting(
  queryable: Queryable,
  tenant: string,
  { from, provider }: TaxSetting,
  at: string,
): Promise<bigint> {
  await queryable.query(
    `INSERT INTO billing.tax_settings (tenant, valid_from, provider, updated_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant, valid_from) DO UPDATE SET provider = excluded.provider, updated_at = excluded.updated_at`,
    [tenant, from, provider, at],
  )
  return raiseRevision(queryable, tenant, 'settings')
}

export const settingsRevision = (queryable: Queryable, tenant: string): Promise<bigint> =>
  readRevision(queryable, tenant, 'settings')
