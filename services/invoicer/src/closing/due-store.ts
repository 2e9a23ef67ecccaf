import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { type MappingRow, mappingColumns, mappingOf } from '../catalogue/mapping-store.ts'
import { instantOf } from '../catalogue/stored-instant.ts'
import type { BilledSubscription, PlanVersion } from './due.ts'

type Row = {
  key: string
  customer: string
  time_zone: string
  plan: string
  plan_version: number
  anchor_day: number
  started_at: string
  ended_at: string | null
  billed_until: string | null
}

/** Which subscriptions: all that Tidemark may bill and that begin a period before an instant, or one by its key. */
export type Selection = { startedBefore: Micros1970 } | { key: string }

export async function readBilledSubscriptions(
  queryable: Queryable,
  tenant: string,
  selection: Selection,
): Promise<BilledSubscription[]> {
  const { rows } = await queryable.query<Row>(
    `SELECT * FROM (
       SELECT s.key, s.customer, c.time_zone, s.plan, s.plan_version, s.anchor_day, s.started_at, s.ended_at, (
         SELECT max(b.period_end) FROM billing.billing_claims b
         WHERE b.tenant = s.tenant AND b.subscription = s.key AND b.kind = 'recurring'
       ) AS billed_until
       FROM billing.subscriptions s
       JOIN billing.customers c ON c.tenant = s.tenant AND c.key = s.customer
       WHERE s.tenant = $1 AND (s.key = $2 OR ($2::text IS NULL AND s.billing_mode = 'tidemark'))
     ) AS billed
     WHERE $3::timestamptz IS NULL OR coalesce(billed_until, started_at) < $3
     ORDER BY key`,
    [
      tenant,
      'key' in selection ? selection.key : null,
      'key' in selection ? null : formatInstant(selection.startedBefore),
    ],
  )
  const plans = await readPlanVersions(queryable, tenant, [...new Set(rows.map(({ plan }) => plan))])
  const mappings = await readMappings(queryable, tenant, [...new Set(rows.map(({ customer }) => customer))])
  return rows.flatMap((row) => {
    const plan = plans.get(`${row.plan}/${row.plan_version}`)
    if (!plan) return []
    return [
      {
        key: row.key,
        customer: row.customer,
        timeZone: row.time_zone,
        plan,
        anchorDay: row.anchor_day,
        startedAt: instantOf(row.started_at),
        endedAt: row.ended_at === null ? Infinity : instantOf(row.ended_at),
        billedUntil: row.billed_until === null ? undefined : instantOf(row.billed_until),
        mappings: (mappings.get(row.customer) ?? [])
          .filter(({ subscription }) => subscription === null || subscription === row.key)
          .map(mappingOf),
      },
    ]
  })
}

type PlanRow = { plan: string; version: number; sha256: string; definition: Plan }

const planVersionOf = ({ plan, version, sha256, definition }: PlanRow): PlanVersion => ({
  id: plan,
  version,
  sha256,
  plan: definition,
})

async function readPlanVersions(queryable: Queryable, tenant: string, plans: readonly string[]) {
  const { rows } = await queryable.query<PlanRow>(
    `SELECT plan, version, sha256, definition FROM billing.plan_versions
     WHERE tenant = $1 AND plan = ANY($2)`,
    [tenant, plans],
  )
  return new Map(rows.map((row) => [`${row.plan}/${row.version}`, planVersionOf(row)]))
}

export async function readPlanVersion(
  queryable: Queryable,
  tenant: string,
  plan: string,
  version: number,
): Promise<PlanVersion | undefined> {
  const { rows } = await queryable.query<PlanRow>(
    `SELECT plan, version, sha256, definition FROM billing.plan_versions
     WHERE tenant = $1 AND plan = $2 AND version = $3`,
    [tenant, plan, version],
  )
  return rows[0] && planVersionOf(rows[0])
}

async function readMappings(queryable: Queryable, tenant: string, customers: readonly string[]) {
  const { rows } = await queryable.query<MappingRow>(
    `SELECT ${mappingColumns} FROM billing.subjects WHERE tenant = $1 AND customer = ANY($2)`,
    [tenant, customers],
  )
  return Map.groupBy(rows, ({ customer }) => customer)
}

/** Raised by every change of the tenant's catalogue; 0 before the first. */
export async function readCatalogueRevision(
  queryable: Queryable,
  tenant: string,
  lock: '' | 'FOR SHARE' = '',
): Promise<bigint> {
  const { rows } = await queryable.query<{ revision: bigint }>(
    `SELECT revision FROM billing.catalogue_revisions WHERE tenant = $1 ${lock}`,
    [tenant],
  )
  return rows[0]?.revision ?? 0n
}
