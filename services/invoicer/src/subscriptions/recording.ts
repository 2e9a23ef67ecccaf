import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { readMappings } from '../catalogue/mapping-store.ts'
import type { Change } from '../history.ts'
import { joinLists } from './creation.ts'
import { doubleBilling } from './double-billing.ts'
import { type SubscriptionAction, subscriptionEvent } from './event.ts'
import { readPriceLists } from './price-list-store.ts'
import { refused } from './problems.ts'
import { readSubscriptions } from './store.ts'
import type { PriceLists, Subscription } from './subscription.ts'
import { showSubscription } from './view.ts'

export type Recorded = {
  readonly tenant: string
  readonly actor: string
  readonly action: SubscriptionAction
  readonly before?: Json
  readonly after: Subscription
  readonly lists: PriceLists
}

/** What the audit log keeps of a change and billing.events tells of it. */
export const changeOf = (
  { tenant, actor, action, before, after, lists }: Recorded,
  now: Micros1970,
): Change => ({
  tenant,
  actor,
  action: `subscription.${action}`,
  entity: 'subscription',
  entityKey: after.key,
  ...(before === undefined ? {} : { before }),
  after: showSubscription(after, lists, now),
  event: subscriptionEvent(tenant, action, after, lists, now),
})

/**
 * Holds a subscription against all others of its customer. The caller holds the catalogue's lock.
 * @throws HttpProblem 409 `billed_twice`
 */
export async function refuseDoubleBilling(
  queryable: Queryable,
  tenant: string,
  subscription: Subscription,
  lists: PriceLists,
): Promise<void> {
  const { customer, key } = subscription
  const all = await readSubscriptions(queryable, tenant, { customers: [customer] })
  const others = all.filter((each) => each.key !== key)
  const theirs = await readPriceLists(
    queryable,
    tenant,
    others.map(({ timeline }) => timeline),
  )
  // Subjects tell subscriptions apart: one alone needs none.
  const mappings = others.length === 0 ? [] : await readMappings(queryable, tenant, [customer], [])
  const refusal = doubleBilling(subscription, others, joinLists(theirs, lists), mappings)
  if (refusal) throw refused(refusal)
}
