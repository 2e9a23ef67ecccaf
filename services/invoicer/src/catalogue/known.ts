import type { AddOn } from '@tidemark/schemas/add-on.ts'
import type { Coupon } from '@tidemark/schemas/coupon.ts'
import type { Customer } from '@tidemark/schemas/customer.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import type { Plan, VersionState } from '@tidemark/schemas/plan.ts'
import type { Seller } from '@tidemark/schemas/seller.ts'
import type { OfferedCoupon } from '../subscriptions/coupons.ts'
import type { PriceLists, Subscription } from '../subscriptions/subscription.ts'

/** A subject's mapping; -Infinity and Infinity where it has no end. */
export type Mapping = {
  readonly subject: string
  readonly customer: string
  readonly from: Micros1970
  readonly to: Micros1970
  /** The one subscription that bills it, if it names one. */
  readonly subscription?: string | undefined
}

export type KnownVersion<Item> = {
  readonly version: number
  readonly state: VersionState
  readonly sha256: string
  readonly item: Item
}

/** A plan or an add-on. */
export type KnownVersions<Item> = {
  readonly revision: bigint
  readonly newest: KnownVersion<Item>
  /** The newest that is no draft: what new subscriptions get, unless it is deprecated. */
  readonly released: KnownVersion<Item> | undefined
}

export type KnownCustomer = {
  readonly customer: Omit<Customer, 'subjects'>
  readonly revision: bigint
  /** End of the last period that is billed; undefined when none is. */
  readonly billedUntil: Micros1970 | undefined
  /** The first invoice fixes the currency. */
  readonly isInvoiced: boolean
}

/** What a tenant has already, as far as a catalogue names it. */
export type Known = {
  /** The newest version of each meter that a price names. */
  readonly meters: ReadonlyMap<string, Meter>
  readonly seller: { readonly seller: Seller; readonly revision: bigint } | undefined
  /** By `exchangeRateKey`. */
  readonly exchangeRates: ReadonlyMap<string, string>
  readonly plans: ReadonlyMap<string, KnownVersions<Plan>>
  readonly addOns: ReadonlyMap<string, KnownVersions<AddOn>>
  /** Of the price ids that coupons name: those that some version of a plan or an add-on has. */
  readonly priceIds: ReadonlySet<string>
  readonly coupons: ReadonlyMap<string, { readonly coupon: Coupon; readonly revision: bigint }>
  readonly customers: ReadonlyMap<string, KnownCustomer>
  readonly mappings: readonly Mapping[]
  /** Those that are named, and all others of the customers that are. */
  readonly subscriptions: ReadonlyMap<string, Subscription>
  /** The versions that their timelines name. */
  readonly lists: PriceLists
  /** Of the coupons that subscriptions name. */
  readonly offeredCoupons: ReadonlyMap<string, OfferedCoupon>
  readonly now: Micros1970
}

export const overlaps = (
  a: { from: Micros1970; to: Micros1970 },
  b: { from: Micros1970; to: Micros1970 },
): boolean => a.from < b.to && b.from < a.to
