import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { AddOn } from '@tidemark/schemas/add-on.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import { type PriceLists, versionKey } from './subscription.ts'
import type { Timeline } from './timeline.ts'

type Version<Item> = { id: string; version: number; definition: Item }

/** All versions that timelines name, what lies beyond their ends included. */
export async function readPriceLists(
  queryable: Queryable,
  tenant: string,
  timelines: readonly Timeline[],
): Promise<PriceLists> {
  const phases = timelines.flatMap(({ phases, beyond = [] }) => [...phases, ...beyond])
  const plans = await readNamed<Plan>(
    queryable,
    `SELECT v.plan AS id, v.version, v.definition FROM billing.plan_versions v
     JOIN unnest($2::text[], $3::integer[]) AS n (id, version) ON v.plan = n.id AND v.version = n.version
     WHERE v.tenant = $1`,
    tenant,
    phases.map(({ plan, planVersion }) => ({ id: plan, version: planVersion })),
  )
  const addOns = await readNamed<AddOn>(
    queryable,
    `SELECT v.add_on AS id, v.version, v.definition FROM billing.add_on_versions v
     JOIN unnest($2::text[], $3::integer[]) AS n (id, version) ON v.add_on = n.id AND v.version = n.version
     WHERE v.tenant = $1`,
    tenant,
    phases.flatMap(({ addOns }) => addOns),
  )
  return {
    plans: new Map(
      plans.map(({ id, version, definition }) => [versionKey(id, version), { plan: definition }]),
    ),
    addOns: new Map(
      addOns.map(({ id, version, definition }) => [versionKey(id, version), { addOn: definition }]),
    ),
  }
}

async function readNamed<Item>(
  queryable: Queryable,
  sql: string,
  tenant: string,
  named: readonly { id: string; version: number }[],
): Promise<Version<Item>[]> {
  const distinct = [...new Map(named.map((each) => [versionKey(each.id, each.version), each])).values()]
  if (distinct.length === 0) return []
  const { rows } = await queryable.query<Version<Item>>(sql, [
    tenant,
    distinct.map(({ id }) => id),
    distinct.map(({ version }) => version),
  ])
  return rows
}
