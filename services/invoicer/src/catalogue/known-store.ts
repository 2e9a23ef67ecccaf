import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Catalogue, Plan } from '@tidemark/schemas/catalogue.ts'
import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import type { Aggregation } from '@tidemark/schemas/meter.ts'
import { isCurrency } from '@tidemark/schemas/money.ts'
import type { Known, KnownCustomer, KnownPlan, KnownSubscription, Mapping } from './known.ts'

/** Reads what a catalogue's check needs: what it names, and what that hangs on. */
export async function readKnown(queryable: Queryable, tenant: string, catalogue: Catalogue): Promise<Known> {
  const { plans = [], customers = [], subscriptions = [] } = catalogue
  const customerKeys = [
    ...new Set([...customers.map(({ key }) => key), ...subscriptions.map(({ customer }) => customer)]),
  ]
  const planIds = [...new Set([...plans.map(({ id }) => id), ...subscriptions.map(({ plan }) => plan)])]
  const subjects = customers.flatMap((customer) => customer.subjects.map(({ key }) => key))
  return {
    meters: await readAggregations(queryable, tenant),
    plans: await readPlans(queryable, tenant, planIds),
    customers: await readCustomers(queryable, tenant, customerKeys),
    mappings: await readMappings(queryable, tenant, customerKeys, subjects),
    subscriptions: await readSubscriptions(
      queryable,
      tenant,
      customerKeys,
      subscriptions.map(({ key }) => key),
    ),
  }
}

async function readAggregations(queryable: Queryable, tenant: string): Promise<Map<string, Aggregation>> {
  const { rows } = await queryable.query<{ key: string; aggregation: Aggregation }>(
    `SELECT DISTINCT ON (key) key, definition ->> 'aggregation' AS aggregation FROM metering.meter_versions
     WHERE tenant = $1 ORDER BY key, version DESC`,
    [tenant],
  )
  return new Map(rows.map(({ key, aggregation }) => [key, aggregation]))
}

async function readPlans(queryable: Queryable, tenant: string, ids: readonly string[]) {
  const { rows } = await queryable.query<{ version: number; sha256: string; definition: Plan }>(
    `SELECT DISTINCT ON (plan) version, sha256, definition FROM billing.plan_versions
     WHERE tenant = $1 AND plan = ANY($2) AND state = 'published' ORDER BY plan, version DESC`,
    [tenant, ids],
  )
  return new Map<string, KnownPlan>(
    rows.map(({ version, sha256, definition }) => [definition.id, { version, sha256, plan: definition }]),
  )
}

export type CustomerRow = {
  key: string
  name: string
  email: string
  currency: string
  time_zone: string
  processor_customer_id: string | null
  payment_method_id: string | null
}

async function readCustomers(queryable: Queryable, tenant: string, keys: readonly string[]) {
  const { rows } = await queryable.query<CustomerRow & { billed_until: string | null }>(
    `SELECT key, name, email, currency, time_zone, processor_customer_id, payment_method_id, (
       SELECT max(c.period_end) FROM billing.billing_claims c
       JOIN billing.subscriptions s ON s.tenant = c.tenant AND s.key = c.subscription
       WHERE s.tenant = customers.tenant AND s.customer = customers.key
     ) AS billed_until
     FROM billing.customers WHERE tenant = $1 AND key = ANY($2)`,
    [tenant, keys],
  )
  return new Map<string, KnownCustomer>(
    rows.map((row) => [
      row.key,
      {
        billedUntil: row.billed_until === null ? undefined : instantOf(row.billed_until),
        customer: customerOf(row),
      },
    ]),
  )
}

export function customerOf(row: CustomerRow): KnownCustomer['customer'] {
  if (!isCurrency(row.currency)) throw new RangeError(`"${row.currency}" is no currency of the table`)
  return {
    key: row.key,
    name: row.name,
    email: row.email,
    currency: row.currency,
    timeZone: row.time_zone,
    ...(row.processor_customer_id === null ? {} : { processorCustomerId: row.processor_customer_id }),
    ...(row.payment_method_id === null ? {} : { paymentMethodId: row.payment_method_id }),
  }
}

/** @throws RangeError for text that PostgreSQL would not have printed. */
export function instantOf(text: string): Micros1970 {
  const instant = parseInstant(text)
  if (instant === undefined) throw new RangeError(`"${text}" is no instant`)
  return instant
}

export type MappingRow = { subject: string; customer: string; from: string | null; to: string | null }

export const mappingColumns = 'subject, customer, lower(during) AS "from", upper(during) AS "to"'

export const mappingOf = ({ subject, customer, from, to }: MappingRow): Mapping => ({
  subject,
  customer,
  from: from === null ? -Infinity : instantOf(from),
  to: to === null ? Infinity : instantOf(to),
})

async function readMappings(
  queryable: Queryable,
  tenant: string,
  customers: readonly string[],
  subjects: readonly string[],
): Promise<Mapping[]> {
  const { rows } = await queryable.query<MappingRow>(
    `SELECT ${mappingColumns} FROM billing.subjects
     WHERE tenant = $1 AND (customer = ANY($2) OR subject = ANY($3))`,
    [tenant, customers, subjects],
  )
  return rows.map(mappingOf)
}

type SubscriptionRow = {
  key: string
  customer: string
  definition: Plan
  anchor_day: number
  started_at: string
  ended_at: string | null
}

async function readSubscriptions(
  queryable: Queryable,
  tenant: string,
  customers: readonly string[],
  keys: readonly string[],
) {
  const { rows } = await queryable.query<SubscriptionRow>(
    `SELECT s.key, s.customer, v.definition, s.anchor_day, s.started_at, s.ended_at
     FROM billing.subscriptions s
     JOIN billing.plan_versions v ON v.tenant = s.tenant AND v.plan = s.plan AND v.version = s.plan_version
     WHERE s.tenant = $1 AND (s.customer = ANY($2) OR s.key = ANY($3))`,
    [tenant, customers, keys],
  )
  return new Map<string, KnownSubscription>(
    rows.map((row) => [
      row.key,
      {
        key: row.key,
        customer: row.customer,
        plan: row.definition,
        anchorDay: row.anchor_day,
        start: instantOf(row.started_at),
        end: row.ended_at === null ? Infinity : instantOf(row.ended_at),
      },
    ]),
  )
}
