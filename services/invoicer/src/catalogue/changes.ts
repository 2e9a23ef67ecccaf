import type { AddOn } from '@tidemark/schemas/add-on.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { Catalogue } from '@tidemark/schemas/catalogue.ts'
import type { Coupon } from '@tidemark/schemas/coupon.ts'
import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import type { ExchangeRate } from '@tidemark/schemas/exchange-rate.ts'
import { formatInstant, parseInstant } from '@tidemark/schemas/instant.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import type { Seller } from '@tidemark/schemas/seller.ts'
import type { Created } from '../subscriptions/creation.ts'
import { type CustomerChange, customerChange } from './customer-changes.ts'
import { differenceOf } from './difference.ts'
import { exchangeRateKey } from './exchange-rate-store.ts'
import type { Known } from './known.ts'
import { newSubscriptions } from './new-subscriptions.ts'
import { type VersionChange, versionChange } from './version-changes.ts'

/** Something that is set whole: what it becomes and what it was. */
export type Replacement<Item> = { readonly item: Item; readonly before: Item | undefined }

/** Everything that applying a sound catalogue would change, and how much stays as it is. */
export type CatalogueChanges = {
  readonly seller: Replacement<Seller> | undefined
  readonly exchangeRates: readonly Replacement<ExchangeRate>[]
  readonly plans: readonly VersionChange<Plan>[]
  readonly addOns: readonly VersionChange<AddOn>[]
  readonly coupons: readonly Replacement<Coupon>[]
  readonly customers: readonly CustomerChange[]
  readonly subscriptions: readonly Created[]
  readonly unchanged: number
}

/** The difference between a catalogue without faults and what is known: pure, so that a dry run is the same function. */
export function planChanges(catalogue: Catalogue, known: Known): CatalogueChanges {
  const plans = (catalogue.plans ?? []).flatMap(
    ({ state, ...plan }) => versionChange(plan, state, known.plans.get(plan.id)) ?? [],
  )
  const changes = {
    seller: catalogue.seller && replacement(catalogue.seller, known.seller?.seller),
    exchangeRates: (catalogue.exchangeRates ?? []).flatMap((rate) => rateChange(rate, known) ?? []),
    plans,
    addOns: (catalogue.addOns ?? []).flatMap(
      ({ state, ...addOn }) => versionChange(addOn, state, known.addOns.get(addOn.id)) ?? [],
    ),
    coupons: (catalogue.coupons ?? []).flatMap(
      (coupon) => replacement(withInstant(coupon), known.coupons.get(coupon.id)?.coupon) ?? [],
    ),
    customers: customerChanges(catalogue, known),
    subscriptions: newSubscriptions(catalogue, known).created,
  }
  const { seller, meters: _, ...lists } = catalogue
  const all = Object.values(lists).reduce((sum, items) => sum + (items?.length ?? 0), seller ? 1 : 0)
  const { seller: sold, ...changed } = changes
  const changedCount = Object.values(changed).reduce((sum, items) => sum + items.length, sold ? 1 : 0)
  return { ...changes, unchanged: all - changedCount }
}

function replacement<Item extends { readonly [key: string]: Json }>(
  item: Item,
  before: Item | undefined,
): Replacement<Item> | undefined {
  return before && differenceOf({ ...before }, { ...item }).length === 0 ? undefined : { item, before }
}

/** Rates are compared as numbers: 1.10 is 1.1. */
function rateChange(rate: ExchangeRate, known: Known): Replacement<ExchangeRate> | undefined {
  const before = known.exchangeRates.get(exchangeRateKey(rate))
  const item = { ...rate, rate: formatDecimal(decimal(rate.rate)) }
  return replacement(item, before === undefined ? undefined : { ...rate, rate: before })
}

/** An instant in one form, however its zone was written. */
const withInstant = ({ redeemBy, ...coupon }: Coupon): Coupon =>
  redeemBy === undefined ? coupon : { ...coupon, redeemBy: formatInstant(parseInstant(redeemBy) ?? 0) }

function customerChanges(catalogue: Catalogue, known: Known): CustomerChange[] {
  const stored = Map.groupBy(known.mappings, ({ customer }) => customer)
  return (catalogue.customers ?? []).flatMap(
    (customer) =>
      customerChange(customer, known.customers.get(customer.key), stored.get(customer.key) ?? []) ?? [],
  )
}
