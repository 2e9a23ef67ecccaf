import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import type { KnownSubscription } from './known.ts'
import { instantOf } from './stored-instant.ts'

export type SubscriptionChange = {
  key: string
  customer: string
  plan: string
  planVersion: number
  anchorDay: number
  start: Micros1970
}

type SubscriptionRow = {
  key: string
  customer: string
  definition: Plan
  anchor_day: number
  started_at: string
  ended_at: string | null
}

/** Those of some customers, and some by their keys. */
export async function readSubscriptions(
  queryable: Queryable,
  tenant: string,
  customers: readonly string[],
  keys: readonly string[],
): Promise<Map<string, KnownSubscription>> {
  if (customers.length === 0 && keys.length === 0) return new Map()
  const { rows } = await queryable.query<SubscriptionRow>(
    `SELECT s.key, s.customer, v.definition, s.anchor_day, s.started_at, s.ended_at
     FROM billing.subscriptions s
     JOIN billing.plan_versions v ON v.tenant = s.tenant AND v.plan = s.plan AND v.version = s.plan_version
     WHERE s.tenant = $1 AND (s.customer = ANY($2) OR s.key = ANY($3))`,
    [tenant, customers, keys],
  )
  return new Map<string, KnownSubscription>(
    rows.map((row) => [
      row.key,
      {
        key: row.key,
        customer: row.customer,
        plan: row.definition,
        anchorDay: row.anchor_day,
        start: instantOf(row.started_at),
        end: row.ended_at === null ? Infinity : instantOf(row.ended_at),
      },
    ]),
  )
}

export async function storeSubscriptions(
  queryable: Queryable,
  tenant: string,
  changes: readonly SubscriptionChange[],
  at: string,
): Promise<void> {
  if (changes.length === 0) return
  const rows = changes.map(({ key, customer, plan, planVersion, anchorDay, start }) => ({
    key,
    customer,
    plan,
    plan_version: planVersion,
    anchor_day: anchorDay,
    started_at: formatInstant(start),
  }))
  await queryable.query(
    `INSERT INTO billing.subscriptions
       (tenant, key, customer, plan, plan_version, anchor_day, started_at, state, billing_mode, created_at, updated_at)
     SELECT $1, key, customer, plan, plan_version, anchor_day, started_at, 'active', 'tidemark', $3, $3
     FROM json_to_recordset($2) AS s
       (key text, customer text, plan text, plan_version integer, anchor_day smallint, started_at timestamptz)`,
    [tenant, JSON.stringify(rows), at],
  )
}
