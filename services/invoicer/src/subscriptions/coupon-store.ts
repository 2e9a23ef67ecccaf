import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { readCoupons } from '../catalogue/coupon-store.ts'
import { instantOf } from '../catalogue/stored-instant.ts'
import type { OfferedCoupon } from './coupons.ts'
import type { AttachedCoupon, Subscription } from './subscription.ts'

type Row = { subscription: string; coupon: string; from_at: string; to_at: string | null }

/** By the subscription's key, in the order in which they were given. */
export async function readAttachedCoupons(
  queryable: Queryable,
  tenant: string,
  keys: readonly string[],
): Promise<Map<string, AttachedCoupon[]>> {
  if (keys.length === 0) return new Map()
  const { rows } = await queryable.query<Row>(
    `SELECT subscription, coupon, from_at, to_at FROM billing.subscription_coupons
     WHERE tenant = $1 AND subscription = ANY($2) ORDER BY attached_at, coupon`,
    [tenant, keys],
  )
  const bySubscription = Map.groupBy(rows, ({ subscription }) => subscription)
  return new Map(
    [...bySubscription].map(([key, some]) => [
      key,
      some.map(({ coupon, from_at, to_at }) => ({
        coupon,
        from: instantOf(from_at),
        to: to_at === null ? Infinity : instantOf(to_at),
      })),
    ]),
  )
}

/** Coupons with how many subscriptions have been given each. */
export async function readOfferedCoupons(
  queryable: Queryable,
  tenant: string,
  ids: readonly string[],
): Promise<Map<string, OfferedCoupon>> {
  if (ids.length === 0) return new Map()
  const coupons = await readCoupons(queryable, tenant, ids)
  const { rows } = await queryable.query<{ coupon: string; given: bigint }>(
    `SELECT coupon, count(*) AS given FROM billing.subscription_coupons
     WHERE tenant = $1 AND coupon = ANY($2) GROUP BY coupon`,
    [tenant, ids],
  )
  const given = new Map(rows.map((row) => [row.coupon, Number(row.given)]))
  return new Map([...coupons].map(([id, { coupon }]) => [id, { coupon, given: given.get(id) ?? 0 }]))
}

/** Writes what subscriptions have been given, and what was taken away. The caller holds the catalogue's lock. */
export async function storeAttachedCoupons(
  queryable: Queryable,
  tenant: string,
  subscriptions: readonly Pick<Subscription, 'key' | 'coupons'>[],
  now: Micros1970,
): Promise<void> {
  const rows = subscriptions.flatMap(({ key, coupons }) =>
    coupons.map(({ coupon, from, to }, position) => ({
      subscription: key,
      coupon,
      from_at: formatInstant(from),
      to_at: to === Infinity ? null : formatInstant(to),
      // A microsecond apart, so that those given together are redeemed in the order in which they were named.
      attached_at: formatInstant(now + position),
    })),
  )
  if (rows.length === 0) return
  await queryable.query(
    `INSERT INTO billing.subscription_coupons (tenant, subscription, coupon, from_at, to_at, attached_at)
     SELECT $1, c.* FROM json_to_recordset($2) AS c (subscription text, coupon text, from_at timestamptz,
       to_at timestamptz, attached_at timestamptz)
     ON CONFLICT (tenant, subscription, coupon) DO UPDATE SET to_at = excluded.to_at`,
    [tenant, JSON.stringify(rows)],
  )
}
