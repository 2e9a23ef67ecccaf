import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import {
  type CustomerItem,
  type CustomerRow,
  customerColumns,
  customerOf,
  customerRecord,
  customerUpdates,
  rowOf,
} from './customer-row.ts'
import type { KnownCustomer } from './known.ts'
import { instantOf } from './stored-instant.ts'

type KnownRow = CustomerRow & { revision: bigint; billed_until: string | null; is_invoiced: boolean }

export async function readCustomers(
  queryable: Queryable,
  tenant: string,
  keys: readonly string[],
): Promise<Map<string, KnownCustomer>> {
  if (keys.length === 0) return new Map()
  const { rows } = await queryable.query<KnownRow>(
    `SELECT ${customerColumns}, revision, b.billed_until, coalesce(b.is_invoiced, false) AS is_invoiced
     FROM billing.customers, LATERAL (
       SELECT max(c.period_end) FILTER (WHERE c.kind = 'recurring') AS billed_until,
         bool_or(c.invoice_id IS NOT NULL) AS is_invoiced
       FROM billing.subscriptions s JOIN billing.billing_claims c ON c.tenant = s.tenant AND c.subscription = s.key
       WHERE s.tenant = customers.tenant AND s.customer = customers.key
     ) AS b
     WHERE tenant = $1 AND key = ANY($2)`,
    [tenant, keys],
  )
  return new Map(
    rows.map((row) => [
      row.key,
      {
        customer: customerOf(row),
        revision: row.revision,
        billedUntil: row.billed_until === null ? undefined : instantOf(row.billed_until),
        isInvoiced: row.is_invoiced,
      },
    ]),
  )
}

export async function storeCustomers(
  queryable: Queryable,
  tenant: string,
  customers: readonly CustomerItem[],
  at: string,
): Promise<void> {
  if (customers.length === 0) return
  await keepPastZones(queryable, tenant, customers, at)
  await queryable.query(
    `INSERT INTO billing.customers AS c (tenant, ${customerColumns}, created_at, updated_at)
     SELECT $1, ${customerColumns}, $3, $3 FROM json_to_recordset($2) AS r (${customerRecord})
     ON CONFLICT (tenant, key) DO UPDATE SET ${customerUpdates}, updated_at = excluded.updated_at,
       revision = c.revision + 1`,
    [tenant, JSON.stringify(customers.map(rowOf)), at],
  )
}

/** Of customers with a subscription that has begun: what was billed rests on the zone that they had, and periods under way do. */
async function keepPastZones(
  queryable: Queryable,
  tenant: string,
  customers: readonly CustomerItem[],
  at: string,
): Promise<void> {
  const zones = customers.map(({ key, timeZone }) => ({ key, zone: timeZone }))
  await queryable.query(
    `INSERT INTO billing.past_time_zones (tenant, customer, until_at, time_zone)
     SELECT c.tenant, c.key, $3, c.time_zone
     FROM json_to_recordset($2) AS r (key text, zone text)
     JOIN billing.customers c ON c.tenant = $1 AND c.key = r.key AND c.time_zone <> r.zone
     WHERE EXISTS (
       SELECT FROM billing.subscriptions s
       WHERE s.tenant = c.tenant AND s.customer = c.key AND s.started_at < $3::timestamptz
     )
     ON CONFLICT DO NOTHING`,
    [tenant, JSON.stringify(zones), at],
  )
}
