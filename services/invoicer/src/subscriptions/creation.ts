import { decimal } from '@tidemark/schemas/decimal.ts'
import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import type { Currency } from '@tidemark/schemas/money.ts'
import { planTerms } from '@tidemark/schemas/plan.ts'
import type { Subscription as SubscriptionRequest } from '@tidemark/schemas/subscription.ts'
import { begin } from './beginning.ts'
import { couponFault, type OfferedCoupon } from './coupons.ts'
import { type FieldFault, type FoundPlan, findAddOns, findPlan, type Offers } from './offers.ts'
import { type PriceLists, type Subscription, versionKey } from './subscription.ts'
import type { PhaseAddOn, Timeline } from './timeline.ts'

/** What a new subscription is made from, besides the request. */
export type Surroundings = {
  readonly customer:
    | { readonly key: string; readonly currency: Currency; readonly timeZone: string }
    | undefined
  readonly offers: Offers
  readonly coupons: ReadonlyMap<string, OfferedCoupon>
  readonly now: Micros1970
}

/** A subscription that would be made, with the versions that it names. */
export type Created = { readonly subscription: Subscription; readonly lists: PriceLists }

/** As far as usage is kept and compared; ten centuries of empty months would be due at once otherwise. */
const latestStart = Date.UTC(2106, 0, 1) * 1000

type Parts = {
  readonly customer: NonNullable<Surroundings['customer']>
  readonly plan: FoundPlan
  readonly start: Micros1970
  readonly addOns: readonly PhaseAddOn[]
}

/** The one way in which subscriptions are made, by a request or by a catalogue file; or all that is wrong with it. */
export function createSubscription(
  request: SubscriptionRequest,
  surroundings: Surroundings,
): Created | { faults: FieldFault[] } {
  const parts = findParts(request, surroundings)
  if ('faults' in parts) return parts
  const { customer, plan, start, addOns } = parts
  const { source = 'tidemark', billingMode = 'tidemark', coupons = [] } = request
  return {
    subscription: {
      key: request.key,
      customer: customer.key,
      currency: customer.currency,
      zone: customer.timeZone,
      source,
      billingMode,
      revision: 1n,
      timeline: timelineOf(request, parts),
      billedUntil: undefined,
      isStartBilled: false,
      coupons: coupons.map((coupon) => ({ coupon, from: start, to: Infinity })),
    },
    lists: listsOf(plan, addOns, surroundings.offers),
  }
}

function findParts(
  request: SubscriptionRequest,
  { customer, offers, coupons, now }: Surroundings,
): Parts | { faults: FieldFault[] } {
  const start = parseInstant(request.start)
  // Without a customer there is no currency that a plan must have.
  const offer = customer ? findPlan(request.plan, customer.currency, offers) : offers.plan(request.plan)
  const plan = typeof offer === 'string' ? { field: 'plan', reason: offer } : offer
  const found = customer && 'plan' in plan ? plan : undefined
  const added = customer && found && findAddOns(request.addOns ?? [], found.plan, customer.currency, offers)
  const faults = [
    ...(customer ? [] : [unknownCustomer(request.customer)]),
    ...('field' in plan ? [plan] : []),
    ...startFaults(request.start, start),
    ...(added?.faults ?? []),
    ...(customer ? couponFaults(request.coupons ?? [], customer.currency, coupons, now) : []),
  ]
  if (!customer || !found || !added || start === undefined || faults.length > 0) return { faults }
  return { customer, plan: found, start, addOns: added.addOns }
}

const unknownCustomer = (key: string): FieldFault => ({
  field: 'customer',
  reason: `there is no customer "${key}"; create it or mend the key`,
})

function startFaults(text: string, start: Micros1970 | undefined): FieldFault[] {
  if (start === undefined)
    return [{ field: 'start', reason: `"${text}" is no instant such as 2026-11-01T00:00:00Z` }]
  if (start >= 0 && start < latestStart) return []
  return [{ field: 'start', reason: `"${text}" cannot be billed: it must lie from 1970 to 2105` }]
}

function timelineOf(
  { quantity = '1', trialDays, anchorDay }: SubscriptionRequest,
  { customer, plan: { plan, version }, start, addOns }: Parts,
): Timeline {
  const terms = planTerms(plan)
  return begin({
    start,
    zone: customer.timeZone,
    plan: plan.id,
    planVersion: version,
    quantity: decimal(quantity),
    addOns,
    trialDays: trialDays ?? terms.trialDays,
    alignment: terms.alignment,
    ...(anchorDay === undefined ? {} : { anchorDay }),
  })
}

const listsOf = (
  { plan, version }: FoundPlan,
  addOns: readonly PhaseAddOn[],
  offers: Offers,
): PriceLists => ({
  plans: new Map([[versionKey(plan.id, version), { plan }]]),
  addOns: new Map(
    addOns.flatMap((added) => {
      const offer = offers.addOn(added.id)
      return typeof offer === 'string' ? [] : [[versionKey(added.id, added.version), { addOn: offer.item }]]
    }),
  ),
})

const couponFaults = (
  ids: readonly string[],
  currency: Currency,
  coupons: Surroundings['coupons'],
  now: Micros1970,
): FieldFault[] =>
  ids.flatMap((id, index) => {
    const field = `coupons[${index}]`
    if (ids.indexOf(id) < index)
      return [{ field, reason: `"${id}" stands there already; each coupon is given once` }]
    const reason = couponFault(id, coupons.get(id), currency, now)
    return reason === undefined ? [] : [{ field, reason }]
  })

/** Lists of several readings as one. */
export const joinLists = (...all: readonly PriceLists[]): PriceLists => ({
  plans: new Map(all.flatMap(({ plans }) => [...plans])),
  addOns: new Map(all.flatMap(({ addOns }) => [...addOns])),
})

/** Which field of a request names other things than the subscription that is there; undefined when it is the same. */
export function changedField(before: Subscription, request: SubscriptionRequest): string | undefined {
  const { timeline, customer } = before
  const [first] = [...timeline.phases, ...(timeline.beyond ?? [])]
  if (customer !== request.customer) return 'customer'
  if (first?.plan !== request.plan) return 'plan'
  if (timeline.start !== parseInstant(request.start)) return 'start'
  const { day } = timeline.anchor
  return request.anchorDay === undefined || request.anchorDay === day ? undefined : 'anchorDay'
}
