import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { CatalogueChanges, Replacement } from './changes.ts'
import { type Difference, differenceOf } from './difference.ts'
import { exchangeRateKey } from './exchange-rate-store.ts'
import type { VersionChange } from './version-changes.ts'

/** One line per change, for answers and people. */
export type ChangeSummary = {
  kind: 'seller' | 'exchange-rate' | 'plan' | 'add-on' | 'coupon' | 'customer' | 'subscription'
  key: string
  change: string
  version?: number
  /** What changes in what was there before. */
  difference?: readonly Difference[]
}

type JsonRecord = { readonly [key: string]: Json }

export const summaryOf = (changes: CatalogueChanges): ChangeSummary[] => [
  ...(changes.seller ? [replaced('seller', 'seller', changes.seller)] : []),
  ...changes.exchangeRates.map((change) => replaced('exchange-rate', exchangeRateKey(change.item), change)),
  ...changes.plans.map((change) => versioned('plan', change)),
  ...changes.addOns.map((change) => versioned('add-on', change)),
  ...changes.coupons.map((change) => replaced('coupon', change.item.id, change)),
  ...changes.customers.map(({ customer, fields, difference, isNew }) => ({
    kind: 'customer' as const,
    key: customer.key,
    change: isNew ? 'created' : `changed: ${fields.join(', ')}`,
    ...(isNew ? {} : { difference }),
  })),
  ...changes.subscriptions.map(({ subscription: { key, timeline } }) => ({
    kind: 'subscription' as const,
    key,
    change: 'created',
    ...(timeline.phases[0] ? { version: timeline.phases[0].planVersion } : {}),
  })),
]

function replaced<Item extends JsonRecord>(
  kind: ChangeSummary['kind'],
  key: string,
  { item, before }: Replacement<Item>,
): ChangeSummary {
  if (before === undefined) return { kind, key, change: 'created' }
  return { kind, key, change: 'changed', difference: differenceOf({ ...before }, { ...item }) }
}

function versioned<Item extends JsonRecord & { readonly id: string }>(
  kind: ChangeSummary['kind'],
  { item, version, change, before }: VersionChange<Item>,
): ChangeSummary {
  const difference = before && differenceOf({ ...before }, { ...item })
  return {
    kind,
    key: item.id,
    change,
    version,
    ...(difference && difference.length > 0 ? { difference } : {}),
  }
}
