import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { AddOn } from '@tidemark/schemas/add-on.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import type { KnownVersions } from '../catalogue/known.ts'
import { addOnTables, planTables, readVersions } from '../catalogue/version-store.ts'
import type { Offer, Offers } from './offers.ts'

/** What of some plans and add-ons may be subscribed to. */
export async function readOffers(
  queryable: Queryable,
  tenant: string,
  plans: readonly string[],
  addOns: readonly string[],
): Promise<Offers> {
  const knownPlans = await readVersions<Plan>(queryable, planTables, tenant, plans)
  const knownAddOns = await readVersions<AddOn>(queryable, addOnTables, tenant, addOns)
  return {
    plan: (id) => offerOf('plan', id, knownPlans.get(id)),
    addOn: (id) => offerOf('add-on', id, knownAddOns.get(id)),
  }
}

/** The newest version that is published. */
export function offerOf<Item>(
  kind: 'plan' | 'add-on',
  id: string,
  known: KnownVersions<Item> | undefined,
): Offer<Item> {
  if (!known) return `there is no ${kind} "${id}"; create it or mend the id`
  const { released } = known
  if (!released) return `${kind} "${id}" is only a draft; publish it first`
  if (released.state === 'deprecated')
    return `${kind} "${id}" is deprecated: subscriptions that have it go on, others need another one`
  return { version: released.version, item: released.item }
}
