import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { type Created, changedField, createSubscription } from '../subscriptions/creation.ts'
import { doubleBilling } from '../subscriptions/double-billing.ts'
import type { PriceLists, Subscription } from '../subscriptions/subscription.ts'
import type { Known, Mapping } from './known.ts'
import { mappingsOf } from './mappings.ts'
import { offersAfter } from './offers.ts'

/** The subscriptions that a catalogue would make, by the same code as a request, and what is wrong with them. */
export function newSubscriptions(
  catalogue: Catalogue,
  known: Known,
): { created: Created[]; faults: CatalogueFault[] } {
  const { subscriptions = [], customers = [] } = catalogue
  const brought = new Map(customers.map((customer) => [customer.key, customer]))
  const surroundings = {
    offers: offersAfter(catalogue, known),
    coupons: couponsAfter(catalogue, known),
    now: known.now,
  }
  const parties = createParties(catalogue, known)
  const created: Created[] = []
  const faults: CatalogueFault[] = []
  for (const [index, request] of subscriptions.entries()) {
    const path = `subscriptions[${index}]`
    const before = known.subscriptions.get(request.key)
    const changed = before && changedField(before, request)
    if (changed !== undefined)
      faults.push({
        path: `${path}.${changed}`,
        reason: `a subscription keeps its ${changed}; change it by its own requests, or give the new one another key`,
      })
    if (before) continue
    const customer = brought.get(request.customer) ?? known.customers.get(request.customer)?.customer
    const made = createSubscription(request, { customer, ...surroundings })
    if ('faults' in made) {
      faults.push(...made.faults.map(({ field, reason }) => ({ path: `${path}.${field}`, reason })))
      continue
    }
    const reason = parties.add(made)
    if (reason !== undefined) faults.push({ path: `${path}.plan`, reason })
    created.push(made)
  }
  return { created, faults: [...faults, ...parties.subjectFaults()] }
}

const couponsAfter = ({ coupons = [] }: Catalogue, { offeredCoupons }: Known): Known['offeredCoupons'] =>
  new Map([
    ...offeredCoupons,
    ...coupons.map(
      (coupon) => [coupon.id, { coupon, given: offeredCoupons.get(coupon.id)?.given ?? 0 }] as const,
    ),
  ])

/** Every subscription of the customers at hand, so that each event stays billed at most once per meter. */
function createParties(catalogue: Catalogue, known: Known) {
  const stored = Map.groupBy(known.mappings, ({ customer }) => customer)
  const brought = new Map((catalogue.customers ?? []).map((each) => [each.key, mappingsOf(each)]))
  const mappingsFor = (customer: string): readonly Mapping[] =>
    brought.get(customer) ?? stored.get(customer) ?? []
  const plans = new Map(known.lists.plans)
  const addOns = new Map(known.lists.addOns)
  const lists: PriceLists = { plans, addOns }
  const byCustomer = new Map<string, Subscription[]>()
  const ofCustomer = (customer: string): Subscription[] => byCustomer.get(customer) ?? []
  for (const each of known.subscriptions.values())
    byCustomer.set(each.customer, [...ofCustomer(each.customer), each])
  return {
    /** Takes a new one in. @returns why it would bill what another one bills already */
    add({ subscription, lists: own }: Created): string | undefined {
      for (const [key, plan] of own.plans) plans.set(key, plan)
      for (const [key, addOn] of own.addOns) addOns.set(key, addOn)
      const { customer } = subscription
      const others = ofCustomer(customer)
      byCustomer.set(customer, [...others, subscription])
      return doubleBilling(subscription, others, lists, mappingsFor(customer))?.reason
    },
    /** Subjects that two subscriptions, both there before, would come to bill. */
    subjectFaults: (): CatalogueFault[] =>
      (catalogue.customers ?? []).flatMap(({ key }, index) => {
        const others = ofCustomer(key).filter((each) => known.subscriptions.has(each.key))
        const reason = others
          .map((each) => doubleBilling(each, others, lists, mappingsFor(key))?.reason)
          .find((text) => text !== undefined)
        return reason === undefined ? [] : [{ path: `customers[${index}].subjects`, reason }]
      }),
  }
}
