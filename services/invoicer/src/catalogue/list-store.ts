import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Coupon } from '@tidemark/schemas/coupon.ts'
import type { Customer } from '@tidemark/schemas/customer.ts'
import { type CouponRow, couponColumns, couponOf } from './coupon-store.ts'
import { type CustomerRow, customerColumns, customerOf } from './customer-row.ts'

export type Page = { after: string; limit: number }

type ListedCustomerRow = CustomerRow & { revision: bigint; subjects: Customer['subjects'] | null }

const customerSelect = `SELECT ${customerColumns}, revision, (
    SELECT json_agg(json_strip_nulls(json_build_object('key', subject,
      'from', to_char(lower(during) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'to', to_char(upper(during) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'subscription', subscription))
      ORDER BY subject, during)
    FROM billing.subjects s WHERE s.tenant = c.tenant AND s.customer = c.key
  ) AS subjects
  FROM billing.customers c`

const listedCustomer = (row: ListedCustomerRow): Customer => ({
  ...customerOf(row),
  subjects: row.subjects ?? [],
})

export async function listCustomers(
  queryable: Queryable,
  tenant: string,
  { after, limit }: Page,
): Promise<Customer[]> {
  const { rows } = await queryable.query<ListedCustomerRow>(
    `${customerSelect} WHERE tenant = $1 AND key > $2 ORDER BY key LIMIT $3`,
    [tenant, after, limit],
  )
  return rows.map(listedCustomer)
}

export async function readCustomer(
  queryable: Queryable,
  tenant: string,
  key: string,
): Promise<{ item: Customer; revision: bigint } | undefined> {
  const { rows } = await queryable.query<ListedCustomerRow>(
    `${customerSelect} WHERE tenant = $1 AND key = $2`,
    [tenant, key],
  )
  return rows[0] && { item: listedCustomer(rows[0]), revision: rows[0].revision }
}

export async function listCoupons(
  queryable: Queryable,
  tenant: string,
  { after, limit }: Page,
): Promise<Coupon[]> {
  const { rows } = await queryable.query<CouponRow>(
    `SELECT ${couponColumns} FROM billing.coupons WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3`,
    [tenant, after, limit],
  )
  return rows.map(couponOf)
}
