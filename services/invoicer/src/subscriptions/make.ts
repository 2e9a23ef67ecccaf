import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Subscription as SubscriptionRequest } from '@tidemark/schemas/subscription.ts'
import { readCustomers } from '../catalogue/customer-store.ts'
import { lockCatalogue, raiseRevision } from '../catalogue/store.ts'
import { recordChanges } from '../history.ts'
import { type Answer, answerOnce } from '../idempotency.ts'
import type { Asked, SubscriptionDeps } from './asked.ts'
import { readOfferedCoupons } from './coupon-store.ts'
import { type Created, createSubscription, type Surroundings } from './creation.ts'
import { readOffers } from './offer-store.ts'
import { invalidFields, keyTaken } from './problems.ts'
import { changeOf, refuseDoubleBilling } from './recording.ts'
import { insertSubscriptions, readSubscriptions } from './store.ts'
import { showSubscription } from './view.ts'

/**
 * Makes a subscription, with its history, in one transaction.
 * @throws HttpProblem 409 or 422; nothing is made then
 */
export function makeSubscription(
  { pool, clock }: SubscriptionDeps,
  { tenant, actor, idempotencyKey, dryRun }: Asked,
  request: SubscriptionRequest,
): Promise<Answer & { isRepeated: boolean }> {
  const now = clock.nowMicros()
  const content = { operation: 'create', body: { ...request } }
  return transaction(pool, (queryable) =>
    answerOnce(queryable, { tenant, key: dryRun ? undefined : idempotencyKey, content }, now, async () => {
      await lockCatalogue(queryable, tenant)
      const { subscription, lists } = await plan(queryable, tenant, request, now)
      await refuseDoubleBilling(queryable, tenant, subscription, lists)
      if (!dryRun) {
        await insertSubscriptions(queryable, tenant, [subscription], now)
        const made = { tenant, actor, action: 'created' as const, after: subscription, lists }
        await recordChanges(queryable, [changeOf(made, now)], now)
        await raiseRevision(queryable, tenant)
      }
      return { status: dryRun ? 200 : 201, body: showSubscription(subscription, lists, now) }
    }),
  )
}

async function plan(
  queryable: Queryable,
  tenant: string,
  request: SubscriptionRequest,
  now: Micros1970,
): Promise<Created> {
  const [taken] = await readSubscriptions(queryable, tenant, { keys: [request.key] })
  if (taken) throw keyTaken(request.key)
  const customers = await readCustomers(queryable, tenant, [request.customer])
  const addOns = (request.addOns ?? []).map(({ id }) => id)
  const surroundings: Surroundings = {
    customer: customers.get(request.customer)?.customer,
    offers: await readOffers(queryable, tenant, [request.plan], addOns),
    coupons: await readOfferedCoupons(queryable, tenant, request.coupons ?? []),
    now,
  }
  const created = createSubscription(request, surroundings)
  if ('faults' in created) throw invalidFields(created.faults)
  return created
}
