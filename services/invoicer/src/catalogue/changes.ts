import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import type { Catalogue, Customer, Plan } from '@tidemark/schemas/catalogue.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { mappingsOf } from './customer-faults.ts'
import type { Known, Mapping } from './known.ts'
import { resolveSubscription } from './subscription-faults.ts'

/** A new version of a plan, the first included. */
export type PlanChange = { plan: Plan; version: number; sha256: string; isNew: boolean }
export type CustomerChange = {
  customer: Omit<Customer, 'subjects'>
  fields: string[]
  mappings: readonly Mapping[] | undefined
  isNew: boolean
}
export type SubscriptionChange = {
  key: string
  customer: string
  plan: string
  planVersion: number
  anchorDay: number
  start: Micros1970
}

/** Everything that applying a sound catalogue would change, and how much stays as it is. */
export type CatalogueChanges = {
  readonly plans: readonly PlanChange[]
  readonly customers: readonly CustomerChange[]
  readonly subscriptions: readonly SubscriptionChange[]
  readonly unchanged: number
}

/** The difference between a catalogue without faults and what is known: pure, so that a dry run is the same function. */
export function planChanges(catalogue: Catalogue, known: Known): CatalogueChanges {
  const stored = Map.groupBy(known.mappings, ({ customer }) => customer)
  const plans = (catalogue.plans ?? []).flatMap((plan) => planChange(plan, known) ?? [])
  const customers = (catalogue.customers ?? []).flatMap(
    (customer) => customerChange(customer, known, stored.get(customer.key) ?? []) ?? [],
  )
  const versions = new Map(plans.map(({ plan, version }) => [plan.id, version]))
  const subscriptions = (catalogue.subscriptions ?? []).flatMap((subscription) => {
    if (known.subscriptions.has(subscription.key)) return []
    const resolved = resolveSubscription(subscription, catalogue, known)
    if ('faults' in resolved) return []
    const { key, customer, plan, anchorDay, start } = resolved
    const planVersion = versions.get(plan.id) ?? known.plans.get(plan.id)?.version ?? 1
    return [{ key, customer, plan: plan.id, planVersion, anchorDay, start }]
  })
  const named = [catalogue.plans, catalogue.customers, catalogue.subscriptions]
  const all = named.reduce((sum, items) => sum + (items?.length ?? 0), 0)
  const changed = plans.length + customers.length + subscriptions.length
  return { plans, customers, subscriptions, unchanged: all - changed }
}

function planChange(plan: Plan, known: Known): PlanChange | undefined {
  const before = known.plans.get(plan.id)
  const sha256 = sha256Of(plan)
  if (before?.sha256 === sha256) return undefined
  return { plan, sha256, version: (before?.version ?? 0) + 1, isNew: before === undefined }
}

/** Of the canonical JSON: what certificates name a plan's or a meter's version by. */
export const sha256Of = (value: Json): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex')

const ownFields = ['name', 'email', 'currency', 'timeZone', 'processorCustomerId', 'paymentMethodId'] as const

function customerChange(
  { subjects, ...customer }: Customer,
  known: Known,
  stored: readonly Mapping[],
): CustomerChange | undefined {
  const before = known.customers.get(customer.key)?.customer
  const mappings = mappingsOf({ ...customer, subjects })
  const fields: string[] = ownFields.filter((field) => before?.[field] !== customer[field])
  const isMapped = describe(stored) === describe(mappings)
  if (!isMapped) fields.push('subjects')
  if (before && fields.length === 0) return undefined
  return { customer, fields, mappings: isMapped ? undefined : mappings, isNew: before === undefined }
}

const describe = (mappings: readonly Mapping[]): string =>
  mappings
    .map(({ subject, from, to }) => `${subject} ${from} ${to}`)
    .sort()
    .join('\n')

/** One line per change, for answers and people. */
export type ChangeSummary = {
  kind: 'plan' | 'customer' | 'subscription'
  key: string
  change: string
  version?: number
}

export const summaryOf = (changes: CatalogueChanges): ChangeSummary[] => [
  ...changes.plans.map(({ plan, version, isNew }) => ({
    kind: 'plan' as const,
    key: plan.id,
    change: isNew ? 'created' : 'new version',
    version,
  })),
  ...changes.customers.map(({ customer, fields, isNew }) => ({
    kind: 'customer' as const,
    key: customer.key,
    change: isNew ? 'created' : `changed: ${fields.join(', ')}`,
  })),
  ...changes.subscriptions.map(({ key, planVersion }) => ({
    kind: 'subscription' as const,
    key,
    change: 'created',
    version: planVersion,
  })),
]
