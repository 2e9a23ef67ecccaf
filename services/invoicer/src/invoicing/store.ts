import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { readCoupons } from '../catalogue/coupon-store.ts'
import type { Mapping } from '../catalogue/known.ts'
import { readMappings } from '../catalogue/mapping-store.ts'
import { readSubscriptions } from '../subscriptions/store.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { readAddOnVersions, readPlanVersions } from './catalogue-store.ts'
import type { AttachedCoupon, BilledSubscription } from './subscription.ts'

/** The keys of those that Tidemark may bill and that have a period, or begin, before an instant. */
export async function readKeysToBill(
  queryable: Queryable,
  tenant: string,
  startedBefore: Micros1970,
): Promise<string[]> {
  const { rows } = await queryable.query<{ key: string }>(
    `SELECT key FROM (
       SELECT s.key, s.started_at, (
         SELECT max(b.period_end) FROM billing.billing_claims b
         WHERE b.tenant = s.tenant AND b.subscription = s.key AND b.kind = 'recurring'
       ) AS billed_until
       FROM billing.subscriptions s WHERE s.tenant = $1 AND s.billing_mode = 'tidemark'
     ) AS billed
     WHERE coalesce(billed_until, started_at) <= $2 ORDER BY key`,
    [tenant, formatInstant(startedBefore)],
  )
  return rows.map(({ key }) => key)
}

/** Subscriptions with all that their invoices are made of, except the usage, in the order of their keys. */
export async function readBilledSubscriptions(
  queryable: Queryable,
  tenant: string,
  keys: readonly string[],
): Promise<BilledSubscription[]> {
  if (keys.length === 0) return []
  return billedSubscriptions(queryable, tenant, await readSubscriptions(queryable, tenant, { keys }))
}

/** The same of subscriptions that were read already, or that a change would make. */
export async function billedSubscriptions(
  queryable: Queryable,
  tenant: string,
  subscriptions: readonly Subscription[],
): Promise<BilledSubscription[]> {
  const timelines = subscriptions.map(({ timeline }) => timeline)
  const plans = await readPlanVersions(queryable, tenant, timelines)
  const addOns = await readAddOnVersions(queryable, tenant, timelines)
  const coupons = await readAttachedCoupons(queryable, tenant, subscriptions)
  const customers = [...new Set(subscriptions.map(({ customer }) => customer))]
  const mappings = Map.groupBy(
    await readMappings(queryable, tenant, customers, []),
    ({ customer }) => customer,
  )
  return subscriptions.map(
    ({ key, customer, currency, zone, zones, timeline, billedUntil, isStartBilled }) => ({
      key,
      customer,
      currency,
      timeZone: zone,
      ...(zones ? { zones } : {}),
      timeline,
      plans,
      addOns,
      coupons: coupons(key),
      mappings: (mappings.get(customer) ?? []).filter((each) => isBilledBy(each, key)),
      billedUntil,
      isStartBilled,
    }),
  )
}

const isBilledBy = ({ subscription }: Mapping, key: string): boolean =>
  subscription === undefined || subscription === key

type RedemptionRow = { subscription: string; coupon: string; redemptions: number }

async function readAttachedCoupons(
  queryable: Queryable,
  tenant: string,
  subscriptions: readonly Subscription[],
): Promise<(key: string) => AttachedCoupon[]> {
  const given = subscriptions.filter(({ coupons }) => coupons.length > 0)
  const ids = [...new Set(given.flatMap(({ coupons }) => coupons.map(({ coupon }) => coupon)))]
  if (ids.length === 0) return () => []
  const known = await readCoupons(queryable, tenant, ids)
  const { rows } = await queryable.query<RedemptionRow>(
    `SELECT subscription, coupon, count(*)::integer AS redemptions FROM billing.coupon_redemptions
     WHERE tenant = $1 AND subscription = ANY($2) GROUP BY subscription, coupon`,
    [tenant, given.map(({ key }) => key)],
  )
  const redeemed = new Map(rows.map((row) => [`${row.subscription}\n${row.coupon}`, row.redemptions]))
  const attached = new Map(
    given.map(({ key, coupons }) => [
      key,
      coupons.flatMap(({ coupon: id, from, to }) => {
        const coupon = known.get(id)?.coupon
        return coupon ? [{ coupon, from, to, redemptions: redeemed.get(`${key}\n${id}`) ?? 0 }] : []
      }),
    ]),
  )
  return (key) => attached.get(key) ?? []
}
