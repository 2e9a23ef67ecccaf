import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { readAddOnVersions, readPlanVersions } from '../invoicing/catalogue-store.ts'
import type { PriceLists } from './subscription.ts'
import type { Timeline } from './timeline.ts'

/** All versions that timelines name, what lies beyond their ends included. */
export async function readPriceLists(
  queryable: Queryable,
  tenant: string,
  timelines: readonly Timeline[],
): Promise<PriceLists> {
  const whole = timelines.map(({ phases, beyond = [], ...timeline }) => ({
    ...timeline,
    phases: [...phases, ...beyond],
  }))
  return {
    plans: await readPlanVersions(queryable, tenant, whole),
    addOns: await readAddOnVersions(queryable, tenant, whole),
  }
}
