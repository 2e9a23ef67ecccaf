import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Customer, Plan } from '@tidemark/schemas/catalogue.ts'
import { type CustomerRow, customerOf } from './known-store.ts'

export type ListedPlan = Plan & { version: number; state: string; sha256: string }
export type ListedSubscription = {
  key: string
  customer: string
  plan: string
  planVersion: number
  start: string
  end: string | null
  anchorDay: number
  state: string
  billingMode: string
}

/** The newest version of each plan, by id, after an id. */
export async function listPlans(
  queryable: Queryable,
  tenant: string,
  after: string,
  limit: number,
): Promise<ListedPlan[]> {
  const { rows } = await queryable.query<Omit<ListedPlan, keyof Plan> & { definition: Plan }>(
    `SELECT DISTINCT ON (plan) definition, version, state, sha256 FROM billing.plan_versions
     WHERE tenant = $1 AND plan > $2 ORDER BY plan, version DESC LIMIT $3`,
    [tenant, after, limit],
  )
  return rows.map(({ definition, ...version }) => ({ ...definition, ...version }))
}

export async function listCustomers(
  queryable: Queryable,
  tenant: string,
  after: string,
  limit: number,
): Promise<Customer[]> {
  const { rows } = await queryable.query<CustomerRow & { subjects: Customer['subjects'] | null }>(
    `SELECT key, name, email, currency, time_zone, processor_customer_id, payment_method_id, (
       SELECT json_agg(json_strip_nulls(json_build_object('key', subject,
         'from', to_char(lower(during) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
         'to', to_char(upper(during) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
         ORDER BY subject, during)
       FROM billing.subjects s WHERE s.tenant = c.tenant AND s.customer = c.key
     ) AS subjects
     FROM billing.customers c WHERE tenant = $1 AND key > $2 ORDER BY key LIMIT $3`,
    [tenant, after, limit],
  )
  return rows.map((row) => ({ ...customerOf(row), subjects: row.subjects ?? [] }))
}

export async function listSubscriptions(
  queryable: Queryable,
  tenant: string,
  after: string,
  limit: number,
): Promise<ListedSubscription[]> {
  const { rows } = await queryable.query<ListedSubscription>(
    `SELECT key, customer, plan, plan_version AS "planVersion", started_at AS start, ended_at AS "end",
       anchor_day AS "anchorDay", state, billing_mode AS "billingMode"
     FROM billing.subscriptions WHERE tenant = $1 AND key > $2 ORDER BY key LIMIT $3`,
    [tenant, after, limit],
  )
  return rows
}
