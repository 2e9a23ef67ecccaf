import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import type { Customer } from '@tidemark/schemas/customer.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import { dayOf, isTimeZone, localDateOf } from '@tidemark/schemas/local-date.ts'
import { currenciesOf, type Plan, pricesIn } from '@tidemark/schemas/plan.ts'
import type { Subscription } from '@tidemark/schemas/subscription.ts'
import { metersBilledTwice } from './double-billing.ts'
import { type Known, type KnownSubscription, overlaps } from './known.ts'
import { mappingsOf } from './mappings.ts'
import { twice } from './repeated.ts'
import { sha256Of } from './version-changes.ts'

/** Unknown customers and plans, other currencies, changes, and usage that two subscriptions would bill. */
export function subscriptionFaults(catalogue: Catalogue, known: Known): CatalogueFault[] {
  const subscriptions = catalogue.subscriptions ?? []
  const faults = twice(subscriptions, 'subscriptions', 'key', ({ key }) => key)
  const all = new Map(known.subscriptions)
  const byCustomer = Map.groupBy(all.values(), ({ customer }) => customer)
  for (const [index, subscription] of subscriptions.entries()) {
    const path = `subscriptions[${index}]`
    const resolved = resolveSubscription(subscription, catalogue, known)
    if ('faults' in resolved) {
      faults.push(...resolved.faults.map(({ path: field, reason }) => ({ path: `${path}.${field}`, reason })))
      continue
    }
    const before = all.get(subscription.key)
    const changed = before && changedField(before, resolved)
    if (changed)
      faults.push({
        path: `${path}.${changed}`,
        reason: `a subscription keeps its ${changed}; give the new one another key`,
      })
    if (before) continue
    const others = byCustomer.get(resolved.customer) ?? []
    faults.push(...billedTwice(resolved, others, path, catalogue, known))
    byCustomer.set(resolved.customer, [...others, resolved])
    all.set(subscription.key, resolved)
  }
  return faults
}

/** As far as usage is kept and compared; ten centuries of empty months would be due at once otherwise. */
const latestStart = Date.UTC(2106, 0, 1) * 1000

/** A subscription of a catalogue with its customer and plan found, or what is wrong with it, by field. */
export function resolveSubscription(
  subscription: Subscription,
  catalogue: Catalogue,
  known: Known,
): KnownSubscription | { faults: CatalogueFault[] } {
  const faults: CatalogueFault[] = []
  const customer = findCustomer(subscription.customer, catalogue, known)
  if (!customer)
    faults.push({
      path: 'customer',
      reason: `there is no customer "${subscription.customer}"; create it or mend the key`,
    })
  const plan = findPlan(subscription, catalogue, known)
  if (typeof plan === 'string') faults.push({ path: 'plan', reason: plan })
  const start = parseInstant(subscription.start)
  if (start === undefined)
    faults.push({
      path: 'start',
      reason: `"${subscription.start}" is no instant such as 2026-11-01T00:00:00Z`,
    })
  if (start !== undefined && (start < 0 || start >= latestStart))
    faults.push({
      path: 'start',
      reason: `"${subscription.start}" cannot be billed: it must lie from 1970 to 2105`,
    })
  if (customer && typeof plan !== 'string' && pricesIn(plan, customer.currency).length === 0)
    faults.push({
      path: 'plan',
      reason: `plan "${plan.id}" is in ${currenciesOf(plan).join(' and ')}, but customer "${customer.key}" pays in ${customer.currency}`,
    })
  if (!customer || typeof plan === 'string' || start === undefined || faults.length > 0) return { faults }
  const zone = isTimeZone(customer.timeZone) ? customer.timeZone : 'UTC'
  return {
    key: subscription.key,
    customer: customer.key,
    plan,
    anchorDay: subscription.anchorDay ?? dayOf(localDateOf(start, zone)),
    start,
    end: Infinity,
  }
}

function findCustomer(
  key: string,
  { customers = [] }: Catalogue,
  known: Known,
): Omit<Customer, 'subjects'> | undefined {
  return customers.find((each) => each.key === key) ?? known.customers.get(key)?.customer
}

/** The version that a new subscription gets, or why there is none; one that exists keeps its own. */
function findPlan({ key, plan: id }: Subscription, { plans = [] }: Catalogue, known: Known): Plan | string {
  const own = known.subscriptions.get(key)?.plan
  if (own?.id === id) return own
  const brought = plans.find((each) => each.id === id)
  const released = known.plans.get(id)?.released
  const deprecated = `plan "${id}" is deprecated: subscriptions that exist go on, new ones need another plan`
  if (brought && brought.state !== 'draft') {
    if (brought.state === 'deprecated') return deprecated
    const { state: _, ...plan } = brought
    const isAsReleased = released?.state === 'deprecated' && sha256Of(plan) === released.sha256
    return isAsReleased ? deprecated : plan
  }
  if (released) return released.state === 'deprecated' ? deprecated : released.item
  return brought || known.plans.has(id)
    ? `plan "${id}" is only a draft; publish it first`
    : `there is no plan "${id}"; create it or mend the id`
}

function changedField(before: KnownSubscription, after: KnownSubscription): string | undefined {
  if (before.customer !== after.customer) return 'customer'
  if (before.plan.id !== after.plan.id) return 'plan'
  if (before.start !== after.start) return 'start'
  return before.anchorDay === after.anchorDay ? undefined : 'anchorDay'
}

/** One event is billed by at most one subscription per meter, unless every subject names the one that bills it. */
function billedTwice(
  subscription: KnownSubscription,
  others: readonly KnownSubscription[],
  path: string,
  catalogue: Catalogue,
  known: Known,
): CatalogueFault[] {
  const brought = catalogue.customers?.find(({ key }) => key === subscription.customer)
  const subjects = brought
    ? mappingsOf(brought)
    : known.mappings.filter(({ customer }) => customer === subscription.customer)
  if (subjects.length > 0 && subjects.every((mapping) => mapping.subscription !== undefined)) return []
  return others
    .filter(({ start, end }) =>
      overlaps({ from: start, to: end }, { from: subscription.start, to: subscription.end }),
    )
    .flatMap((other) => {
      const meters = subscription.plan.prices.flatMap((price) =>
        other.plan.prices.flatMap((theirs) => metersBilledTwice(price, theirs)),
      )
      return [...new Set(meters)].map((meter) => ({
        path: `${path}.plan`,
        reason: `subscription "${other.key}" of the same customer bills meter "${meter}" already; one event is billed once: give both plans filters, or name the subscription of each subject`,
      }))
    })
}
