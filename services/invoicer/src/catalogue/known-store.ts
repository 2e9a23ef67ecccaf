import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { AddOn } from '@tidemark/schemas/add-on.ts'
import type { Catalogue } from '@tidemark/schemas/catalogue.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import { needsOf } from '../pricing/rate.ts'
import { readOfferedCoupons } from '../subscriptions/coupon-store.ts'
import { readPriceLists } from '../subscriptions/price-list-store.ts'
import { readSubscriptions } from '../subscriptions/store.ts'
import { readCoupons } from './coupon-store.ts'
import { readCustomers } from './customer-store.ts'
import { readExchangeRates } from './exchange-rate-store.ts'
import type { Known } from './known.ts'
import { readMappings } from './mapping-store.ts'
import { readSeller } from './seller-store.ts'
import { addOnTables, planTables, readPriceIds, readVersions } from './version-store.ts'

const distinct = (...lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())]

/** Reads what a catalogue's check needs: what it names, and what that hangs on. */
export async function readKnown(
  queryable: Queryable,
  tenant: string,
  catalogue: Catalogue,
  now: Micros1970,
): Promise<Known> {
  const { plans = [], addOns = [], coupons = [], customers = [], subscriptions = [] } = catalogue
  const customerKeys = distinct(
    customers.map(({ key }) => key),
    subscriptions.map(({ customer }) => customer),
  )
  const planIds = distinct(
    plans.map(({ id }) => id),
    subscriptions.map(({ plan }) => plan),
  )
  const subjects = customers.flatMap((customer) => customer.subjects.map(({ key }) => key))
  const subscriptionKeys = subscriptions.map(({ key }) => key)
  const meters = distinct(
    [...plans, ...addOns].flatMap(({ prices }) => prices.flatMap((price) => needsOf(price).meters)),
  )
  const subscribed = [
    ...(await readSubscriptions(queryable, tenant, { customers: customerKeys })),
    ...(await readSubscriptions(queryable, tenant, { keys: subscriptionKeys })),
  ]
  return {
    meters: await readMeters(queryable, tenant, meters),
    seller: catalogue.seller && (await readSeller(queryable, tenant)),
    exchangeRates: await readExchangeRates(queryable, tenant, catalogue.exchangeRates ?? []),
    plans: await readVersions<Plan>(queryable, planTables, tenant, planIds),
    addOns: await readVersions<AddOn>(
      queryable,
      addOnTables,
      tenant,
      distinct(
        addOns.map(({ id }) => id),
        subscriptions.flatMap((each) => (each.addOns ?? []).map(({ id }) => id)),
      ),
    ),
    coupons: await readCoupons(
      queryable,
      tenant,
      coupons.map(({ id }) => id),
    ),
    priceIds: await readPriceIds(
      queryable,
      tenant,
      coupons.flatMap(({ appliesTo = [] }) => appliesTo),
    ),
    customers: await readCustomers(queryable, tenant, customerKeys),
    mappings: await readMappings(queryable, tenant, customerKeys, subjects),
    subscriptions: new Map(subscribed.map((each) => [each.key, each])),
    lists: await readPriceLists(
      queryable,
      tenant,
      subscribed.map(({ timeline }) => timeline),
    ),
    offeredCoupons: await readOfferedCoupons(
      queryable,
      tenant,
      distinct(subscriptions.flatMap((each) => each.coupons ?? [])),
    ),
    now,
  }
}

async function readMeters(
  queryable: Queryable,
  tenant: string,
  keys: readonly string[],
): Promise<Map<string, Meter>> {
  if (keys.length === 0) return new Map()
  const { rows } = await queryable.query<{ definition: Meter }>(
    `SELECT DISTINCT ON (key) definition FROM metering.meter_versions
     WHERE tenant = $1 AND key = ANY($2) ORDER BY key, version DESC`,
    [tenant, keys],
  )
  return new Map(rows.map(({ definition }) => [definition.key, definition]))
}
