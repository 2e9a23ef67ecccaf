import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Coupon } from '@tidemark/schemas/coupon.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import { instantOf } from './stored-instant.ts'

/** What a coupon is worth: what never changes. */
type CouponTerms = Pick<Coupon, 'type' | 'value' | 'currency' | 'duration' | 'periods' | 'appliesTo'>

export type CouponRow = {
  id: string
  name: string
  terms: CouponTerms
  redeem_by: string | null
  max_redemptions: number | null
  revision: bigint
}

export const couponColumns = 'id, name, terms, redeem_by, max_redemptions, revision'

export const couponOf = ({ id, name, terms, redeem_by, max_redemptions }: CouponRow): Coupon => ({
  id,
  name,
  ...terms,
  ...(redeem_by === null ? {} : { redeemBy: formatInstant(instantOf(redeem_by)) }),
  ...(max_redemptions === null ? {} : { maxRedemptions: max_redemptions }),
})

export const termsOf = ({
  id: _,
  name: __,
  redeemBy: ___,
  maxRedemptions: ____,
  ...terms
}: Coupon): CouponTerms => terms

export async function readCoupons(
  queryable: Queryable,
  tenant: string,
  ids: readonly string[],
): Promise<Map<string, { coupon: Coupon; revision: bigint }>> {
  if (ids.length === 0) return new Map()
  const { rows } = await queryable.query<CouponRow>(
    `SELECT ${couponColumns} FROM billing.coupons WHERE tenant = $1 AND id = ANY($2)`,
    [tenant, ids],
  )
  return new Map(rows.map((row) => [row.id, { coupon: couponOf(row), revision: row.revision }]))
}

export async function storeCoupons(
  queryable: Queryable,
  tenant: string,
  coupons: readonly Coupon[],
  at: string,
): Promise<void> {
  if (coupons.length === 0) return
  const rows = coupons.map((coupon) => ({
    id: coupon.id,
    name: coupon.name,
    terms: termsOf(coupon),
    redeem_by: coupon.redeemBy ?? null,
    max_redemptions: coupon.maxRedemptions ?? null,
  }))
  await queryable.query(
    `INSERT INTO billing.coupons AS c
       (tenant, id, name, terms, redeem_by, max_redemptions, created_at, updated_at)
     SELECT $1, id, name, terms, redeem_by, max_redemptions, $3, $3 FROM json_to_recordset($2) AS r
       (id text, name text, terms jsonb, redeem_by timestamptz, max_redemptions integer)
     ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, redeem_by = excluded.redeem_by,
       max_redemptions = excluded.max_redemptions, revision = c.revision + 1, updated_at = excluded.updated_at`,
    [tenant, JSON.stringify(rows), at],
  )
}
