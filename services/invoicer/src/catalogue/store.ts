import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { type Change, recordChanges } from '../history.ts'
import { changeOf } from '../subscriptions/recording.ts'
import { insertSubscriptions } from '../subscriptions/store.ts'
import type { CatalogueChanges } from './changes.ts'
import { storeCoupons } from './coupon-store.ts'
import { storeCustomers } from './customer-store.ts'
import { storeExchangeRates } from './exchange-rate-store.ts'
import { storeMappings } from './mapping-store.ts'
import { storeSeller } from './seller-store.ts'
import { type ChangeSummary, summaryOf } from './summary.ts'
import type { VersionChange } from './version-changes.ts'
import { addOnTables, planTables, type StoredVersion, storeVersions } from './version-store.ts'

/**
 * Takes the tenant's catalogue for this transaction: others that would change it wait, so that what was checked is what
 * is changed.
 * @returns its revision, which every change raises
 */
export async function lockCatalogue(queryable: Queryable, tenant: string): Promise<bigint> {
  const { rows } = await queryable.query<{ revision: bigint }>(
    `INSERT INTO billing.catalogue_revisions AS r (tenant, revision) VALUES ($1, 0)
     ON CONFLICT (tenant) DO UPDATE SET revision = r.revision RETURNING revision`,
    [tenant],
  )
  return rows[0]?.revision ?? 0n
}

/** Writes all changes with their history; the caller holds the catalogue's lock. */
export async function storeChanges(
  queryable: Queryable,
  tenant: string,
  changes: CatalogueChanges,
  actor: string,
  now: Micros1970,
): Promise<void> {
  const summary = summaryOf(changes)
  if (summary.length === 0) return
  const at = formatInstant(now)
  if (changes.seller) await storeSeller(queryable, tenant, changes.seller.item, at)
  await storeExchangeRates(
    queryable,
    tenant,
    changes.exchangeRates.map(({ item }) => item),
    at,
  )
  await storeVersions(queryable, planTables, tenant, changes.plans.map(storedVersion), at)
  await storeVersions(queryable, addOnTables, tenant, changes.addOns.map(storedVersion), at)
  await storeCoupons(
    queryable,
    tenant,
    changes.coupons.map(({ item }) => item),
    at,
  )
  await storeCustomers(
    queryable,
    tenant,
    changes.customers.map(({ customer }) => customer),
    at,
  )
  const remapped = changes.customers.filter(({ mappings }) => mappings !== undefined)
  // Subjects name subscriptions.
  await insertSubscriptions(
    queryable,
    tenant,
    changes.subscriptions.map(({ subscription }) => subscription),
    now,
  )
  await storeMappings(
    queryable,
    tenant,
    remapped.map(({ customer }) => customer.key),
    remapped.flatMap(({ mappings = [] }) => mappings),
  )
  await recordChanges(
    queryable,
    [
      ...summary.filter(({ kind }) => kind !== 'subscription').map((each) => historyOf(each, tenant, actor)),
      ...changes.subscriptions.map(({ subscription: after, lists }) =>
        changeOf({ tenant, actor, action: 'created', after, lists }, now),
      ),
    ],
    now,
  )
  await raiseRevision(queryable, tenant)
}

/** A close that read the catalogue before starts again. */
export async function raiseRevision(queryable: Queryable, tenant: string): Promise<void> {
  await queryable.query('UPDATE billing.catalogue_revisions SET revision = revision + 1 WHERE tenant = $1', [
    tenant,
  ])
}

const storedVersion = <Item extends { readonly [key: string]: Json } & { readonly id: string }>({
  item,
  version,
  state,
  sha256,
}: VersionChange<Item>): StoredVersion => ({ id: item.id, version, state, sha256, definition: { ...item } })

const historyOf = (
  { kind, key, change, version, difference }: ChangeSummary,
  tenant: string,
  actor: string,
): Change => ({
  tenant,
  actor,
  action: `${kind}.${change === 'created' || change === 'published' || change === 'deprecated' ? change : 'changed'}`,
  entity: kind,
  entityKey: key,
  after: {
    change,
    ...(version === undefined ? {} : { version }),
    ...(difference === undefined ? {} : { difference: difference.map((each) => ({ ...each })) }),
  },
})
