import { dayOfMonth } from '@tidemark/schemas/billing-period.ts'
import type { Catalogue, CatalogueFault, Customer, Plan, Subscription } from '@tidemark/schemas/catalogue.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import { isTimeZone } from '@tidemark/schemas/local-date.ts'
import { metersOf } from '../pricing/rate-plan.ts'
import { type Known, type KnownSubscription, overlaps } from './known.ts'
import { twice } from './plan-faults.ts'

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
    faults.push(...billedTwice(resolved, others, path))
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
  const plan = findPlan(subscription.plan, catalogue, known)
  const start = parseInstant(subscription.start)
  if (!customer)
    faults.push({
      path: 'customer',
      reason: `there is no customer "${subscription.customer}"; create it or mend the key`,
    })
  if (!plan)
    faults.push({
      path: 'plan',
      reason: `there is no plan "${subscription.plan}"; create it or mend the id`,
    })
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
  if (customer && plan && customer.currency !== plan.currency)
    faults.push({
      path: 'plan',
      reason: `plan "${plan.id}" is in ${plan.currency}, but customer "${customer.key}" pays in ${customer.currency}`,
    })
  if (!customer || !plan || start === undefined || faults.length > 0) return { faults }
  const zone = isTimeZone(customer.timeZone) ? customer.timeZone : 'UTC'
  return {
    key: subscription.key,
    customer: customer.key,
    plan,
    anchorDay: subscription.anchorDay ?? dayOfMonth(start, zone),
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

function findPlan(id: string, { plans = [] }: Catalogue, known: Known): Plan | undefined {
  return plans.find((each) => each.id === id) ?? known.plans.get(id)?.plan
}

function changedField(before: KnownSubscription, after: KnownSubscription): string | undefined {
  if (before.customer !== after.customer) return 'customer'
  if (before.plan.id !== after.plan.id) return 'plan'
  if (before.start !== after.start) return 'start'
  return before.anchorDay === after.anchorDay ? undefined : 'anchorDay'
}

/** One event is billed by at most one subscription per meter. */
function billedTwice(
  subscription: KnownSubscription,
  others: readonly KnownSubscription[],
  path: string,
): CatalogueFault[] {
  const meters = new Set(metersOf(subscription.plan))
  return others
    .filter(({ start, end }) =>
      overlaps({ from: start, to: end }, { from: subscription.start, to: subscription.end }),
    )
    .flatMap((other) =>
      metersOf(other.plan)
        .filter((meter) => meters.has(meter))
        .map((meter) => ({
          path: `${path}.plan`,
          reason: `subscription "${other.key}" of the same customer bills meter "${meter}" already; one event is billed once`,
        })),
    )
}
