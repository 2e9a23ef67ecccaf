import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { AddOn } from '@tidemark/schemas/add-on.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import type { Timeline } from '../subscriptions/timeline.ts'
import { type AddOnVersion, type PlanVersion, versionKey } from './subscription.ts'

type Named = { readonly id: string; readonly version: number }
type Row<Item> = Named & { sha256: string; definition: Item }

/** The versions of plans that timelines name, by `versionKey`, with the hashes that certificates hold them by. */
export async function readPlanVersions(
  queryable: Queryable,
  tenant: string,
  timelines: readonly Timeline[],
): Promise<Map<string, PlanVersion>> {
  const rows = await readNamed<Plan>(
    queryable,
    `SELECT v.plan AS id, v.version, v.sha256, v.definition FROM billing.plan_versions v
     JOIN unnest($2::text[], $3::integer[]) AS n (id, version) ON v.plan = n.id AND v.version = n.version
     WHERE v.tenant = $1`,
    tenant,
    timelines.flatMap(({ phases }) =>
      phases.map(({ plan, planVersion }) => ({ id: plan, version: planVersion })),
    ),
  )
  return new Map(
    rows.map(({ definition, ...row }) => [versionKey(row.id, row.version), { ...row, plan: definition }]),
  )
}

/** The same of add-ons. */
export async function readAddOnVersions(
  queryable: Queryable,
  tenant: string,
  timelines: readonly Timeline[],
): Promise<Map<string, AddOnVersion>> {
  const rows = await readNamed<AddOn>(
    queryable,
    `SELECT v.add_on AS id, v.version, v.sha256, v.definition FROM billing.add_on_versions v
     JOIN unnest($2::text[], $3::integer[]) AS n (id, version) ON v.add_on = n.id AND v.version = n.version
     WHERE v.tenant = $1`,
    tenant,
    timelines.flatMap(({ phases }) => phases.flatMap(({ addOns }) => addOns)),
  )
  return new Map(
    rows.map(({ definition, ...row }) => [versionKey(row.id, row.version), { ...row, addOn: definition }]),
  )
}

async function readNamed<Item>(
  queryable: Queryable,
  sql: string,
  tenant: string,
  named: readonly Named[],
): Promise<Row<Item>[]> {
  const distinct = [...new Map(named.map((each) => [versionKey(each.id, each.version), each])).values()]
  if (distinct.length === 0) return []
  const { rows } = await queryable.query<Row<Item>>(sql, [
    tenant,
    distinct.map(({ id }) => id),
    distinct.map(({ version }) => version),
  ])
  return rows
}
