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
    `SELECT ${customerColumns}, revision, (
       SELECT max(c.period_end) FROM billing.billing_claims c
       JOIN billing.subscriptions s ON s.tenant = c.tenant AND s.key = c.subscription
       WHERE s.tenant = customers.tenant AND s.customer = customers.key AND c.kind = 'recurring'
     ) AS billed_until, EXISTS (
       SELECT 1 FROM billing.invoices i WHERE i.tenant = customers.tenant AND i.customer = customers.key
     ) AS is_invoiced
     FROM billing.customers WHERE tenant = $1 AND key = ANY($2)`,
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
  await queryable.query(
    `INSERT INTO billing.customers AS c (tenant, ${customerColumns}, created_at, updated_at)
     SELECT $1, ${customerColumns}, $3, $3 FROM json_to_recordset($2) AS r (${customerRecord})
     ON CONFLICT (tenant, key) DO UPDATE SET ${customerUpdates}, updated_at = excluded.updated_at,
       revision = c.revision + 1`,
    [tenant, JSON.stringify(customers.map(rowOf)), at],
  )
}
