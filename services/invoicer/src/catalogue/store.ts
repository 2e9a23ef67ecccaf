import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Change } from '../history.ts'
import { recordChanges } from '../history.ts'
import {
  type CatalogueChanges,
  type CustomerChange,
  type PlanChange,
  type SubscriptionChange,
  summaryOf,
} from './changes.ts'
import type { Mapping } from './known.ts'

/**
 * Takes the tenant's catalogue for this transaction: others that would change it wait, so that what was checked is what
 * is changed.
 */
export async function lockCatalogue(queryable: Queryable, tenant: string): Promise<void> {
  await queryable.query(
    'INSERT INTO billing.catalogue_revisions (tenant, revision) VALUES ($1, 0) ON CONFLICT DO NOTHING',
    [tenant],
  )
  await queryable.query('SELECT 1 FROM billing.catalogue_revisions WHERE tenant = $1 FOR UPDATE', [tenant])
}

/** Writes all changes with their history; the caller holds the catalogue's lock. */
export async function storeChanges(
  queryable: Queryable,
  tenant: string,
  changes: CatalogueChanges,
  actor: string,
  now: Micros1970,
): Promise<void> {
  const at = formatInstant(now)
  await storePlans(queryable, tenant, changes.plans, at)
  await storeCustomers(queryable, tenant, changes.customers, at)
  await storeMappings(queryable, tenant, changes.customers)
  await storeSubscriptions(queryable, tenant, changes.subscriptions, at)
  const history = summaryOf(changes).map(
    ({ kind, key, change, version }): Change => ({
      tenant,
      actor,
      action: `${kind}.${change === 'created' ? 'created' : 'changed'}`,
      entity: kind,
      entityKey: key,
      after: { change, ...(version === undefined ? {} : { version }) },
    }),
  )
  if (history.length === 0) return
  await recordChanges(queryable, history, now)
  await queryable.query('UPDATE billing.catalogue_revisions SET revision = revision + 1 WHERE tenant = $1', [
    tenant,
  ])
}

async function storePlans(queryable: Queryable, tenant: string, changes: readonly PlanChange[], at: string) {
  if (changes.length === 0) return
  const ids = changes.map(({ plan }) => plan.id)
  await queryable.query(
    `INSERT INTO billing.plans (tenant, id, created_at)
     SELECT $1, id, $3 FROM unnest($2::text[]) AS id ON CONFLICT DO NOTHING`,
    [tenant, ids, at],
  )
  const rows = changes.map(({ plan, version, sha256 }) => ({
    plan: plan.id,
    version,
    sha256,
    definition: plan,
  }))
  await queryable.query(
    `INSERT INTO billing.plan_versions
       (tenant, plan, version, state, definition, sha256, created_at, published_at)
     SELECT $1, plan, version, 'published', definition, sha256, $3, $3
     FROM json_to_recordset($2) AS v (plan text, version integer, definition jsonb, sha256 text)`,
    [tenant, JSON.stringify(rows), at],
  )
}

async function storeCustomers(
  queryable: Queryable,
  tenant: string,
  changes: readonly CustomerChange[],
  at: string,
) {
  if (changes.length === 0) return
  const rows = changes.map(({ customer }) => ({
    key: customer.key,
    name: customer.name,
    email: customer.email,
    currency: customer.currency,
    time_zone: customer.timeZone,
    processor_customer_id: customer.processorCustomerId ?? null,
    payment_method_id: customer.paymentMethodId ?? null,
  }))
  await queryable.query(
    `INSERT INTO billing.customers AS c
       (tenant, key, name, email, currency, time_zone, processor_customer_id, payment_method_id, created_at, updated_at)
     SELECT $1, key, name, email, currency, time_zone, processor_customer_id, payment_method_id, $3, $3
     FROM json_to_recordset($2) AS r (key text, name text, email text, currency text, time_zone text,
       processor_customer_id text, payment_method_id text)
     ON CONFLICT (tenant, key) DO UPDATE SET name = excluded.name, email = excluded.email,
       currency = excluded.currency, time_zone = excluded.time_zone,
       processor_customer_id = excluded.processor_customer_id,
       payment_method_id = excluded.payment_method_id, updated_at = excluded.updated_at`,
    [tenant, JSON.stringify(rows), at],
  )
}

/** A customer's list of subjects is the whole of it: what it no longer names is removed. */
async function storeMappings(queryable: Queryable, tenant: string, changes: readonly CustomerChange[]) {
  const remapped = changes.filter(({ mappings }) => mappings !== undefined)
  if (remapped.length === 0) return
  const keys = remapped.map(({ customer }) => customer.key)
  await queryable.query('DELETE FROM billing.subjects WHERE tenant = $1 AND customer = ANY($2)', [
    tenant,
    keys,
  ])
  const rows = remapped.flatMap(({ mappings = [] }) => mappings.map(mappingRow))
  await queryable.query(
    `INSERT INTO billing.subjects (tenant, subject, customer, during)
     SELECT $1, subject, customer, tstzrange("from", "to", '[)')
     FROM json_to_recordset($2) AS m (subject text, customer text, "from" timestamptz, "to" timestamptz)`,
    [tenant, JSON.stringify(rows)],
  )
}

const mappingRow = ({ subject, customer, from, to }: Mapping) => ({
  subject,
  customer,
  from: from === -Infinity ? null : formatInstant(from),
  to: to === Infinity ? null : formatInstant(to),
})

async function storeSubscriptions(
  queryable: Queryable,
  tenant: string,
  changes: readonly SubscriptionChange[],
  at: string,
) {
  if (changes.length === 0) return
  const rows = changes.map(({ key, customer, plan, planVersion, anchorDay, start }) => ({
    key,
    customer,
    plan,
    plan_version: planVersion,
    anchor_day: anchorDay,
    started_at: formatInstant(start),
  }))
  await queryable.query(
    `INSERT INTO billing.subscriptions
       (tenant, key, customer, plan, plan_version, anchor_day, started_at, state, billing_mode, created_at, updated_at)
     SELECT $1, key, customer, plan, plan_version, anchor_day, started_at, 'active', 'tidemark', $3, $3
     FROM json_to_recordset($2) AS s
       (key text, customer text, plan text, plan_version integer, anchor_day smallint, started_at timestamptz)`,
    [tenant, JSON.stringify(rows), at],
  )
}
