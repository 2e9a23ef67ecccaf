import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { transaction } from '@tidemark/infra/postgres/transaction.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { lockCatalogue, raiseRevision } from '../catalogue/store.ts'
import { recordChanges } from '../history.ts'
import { type Answer, answerOnce } from '../idempotency.ts'
import type { Asked, SubscriptionDeps } from './asked.ts'
import { readOfferedCoupons } from './coupon-store.ts'
import { attachCoupon, removeCoupon } from './coupons.ts'
import { readOffers } from './offer-store.ts'
import { readPriceLists } from './price-list-store.ts'
import { checkRevision, invalidFields, refused, unknownSubscription } from './problems.ts'
import { changeOf, refuseDoubleBilling } from './recording.ts'
import { isRefusal, type Refusal } from './refusal.ts'
import { type Faults, type Planned, planRequest, type SubscriptionRequest } from './requests.ts'
import { readSubscriptions, updateSubscription } from './store.ts'
import type { PriceLists, Subscription } from './subscription.ts'
import { showSubscription } from './view.ts'

/**
 * Changes a subscription whole or not at all, with its history, in one transaction that nobody else's change of the
 * tenant's catalogue and no close can come between.
 * @throws HttpProblem 404, 409 or 422; nothing is changed then
 */
export function performRequest(
  { pool, clock }: SubscriptionDeps,
  asked: Asked,
  key: string,
  request: SubscriptionRequest,
): Promise<Answer & { isRepeated: boolean }> {
  const { tenant, idempotencyKey, dryRun } = asked
  const now = clock.nowMicros()
  const content = { key, operation: request.operation, body: { ...request.body } }
  return transaction(pool, (queryable) =>
    answerOnce(queryable, { tenant, key: dryRun ? undefined : idempotencyKey, content }, now, async () => {
      await lockCatalogue(queryable, tenant)
      const before = await readForChange(queryable, tenant, key, asked.expected)
      const planned = await planWith(queryable, tenant, before, request, now)
      const after = dryRun ? planned.subscription : await store(queryable, asked, before, planned, now)
      return { status: 200, body: showSubscription(after, planned.lists, now) }
    }),
  )
}

/** What a request would make of a subscription as it is now: what a preview prices, and the change stores. */
export async function workOut(
  queryable: Queryable,
  tenant: string,
  subscription: Subscription,
  request: SubscriptionRequest,
  now: Micros1970,
): Promise<Subscription> {
  return (await planWith(queryable, tenant, subscription, request, now)).subscription
}

async function readForChange(
  queryable: Queryable,
  tenant: string,
  key: string,
  expected: bigint | undefined,
): Promise<Subscription> {
  const [subscription] = await readSubscriptions(queryable, tenant, { keys: [key] })
  if (!subscription) throw unknownSubscription(key)
  checkRevision(subscription, expected)
  return subscription
}

async function planWith(
  queryable: Queryable,
  tenant: string,
  subscription: Subscription,
  request: SubscriptionRequest,
  now: Micros1970,
): Promise<Planned> {
  const lists = await readPriceLists(queryable, tenant, [subscription.timeline])
  const planned = await planFrom(queryable, tenant, subscription, lists, request, now)
  if ('faults' in planned) throw invalidFields(planned.faults)
  if (isRefusal(planned)) throw refused(planned)
  // What ends or pauses bills nothing that was not billed before.
  if (planned.action === 'changed' || planned.action === 'cancel_withdrawn')
    await refuseDoubleBilling(queryable, tenant, planned.subscription, planned.lists)
  return planned
}

async function planFrom(
  queryable: Queryable,
  tenant: string,
  subscription: Subscription,
  lists: PriceLists,
  request: SubscriptionRequest,
  now: Micros1970,
): Promise<Planned | Refusal | Faults> {
  if (request.operation === 'coupons') {
    const { coupon } = request.body
    const offered = (await readOfferedCoupons(queryable, tenant, [coupon])).get(coupon)
    const given = attachCoupon(subscription, request.body, offered, now)
    return isRefusal(given) ? given : { subscription: given, lists, action: 'coupon_attached' }
  }
  if (request.operation === 'remove-coupon') {
    const left = removeCoupon(subscription, request.body.coupon, now)
    return isRefusal(left) ? left : { subscription: left, lists, action: 'coupon_removed' }
  }
  const { plan, addOns = [] } = request.operation === 'change' ? request.body : {}
  const offers = await readOffers(
    queryable,
    tenant,
    plan === undefined ? [] : [plan],
    addOns.map(({ id }) => id),
  )
  return planRequest(subscription, lists, offers, request, now)
}

/** Nothing is stored, told or raised where nothing changes. */
async function store(
  queryable: Queryable,
  { tenant, actor }: Asked,
  before: Subscription,
  { subscription, lists, action }: Planned,
  now: Micros1970,
): Promise<Subscription> {
  const shownBefore = showSubscription(before, lists, now)
  if (JSON.stringify(shownBefore) === JSON.stringify(showSubscription(subscription, lists, now)))
    return before
  await updateSubscription(queryable, tenant, subscription, now)
  const after = { ...subscription, revision: before.revision + 1n }
  await recordChanges(
    queryable,
    [changeOf({ tenant, actor, action, before: shownBefore, after, lists }, now)],
    now,
  )
  await raiseRevision(queryable, tenant)
  return after
}
