import type { AddOn } from '@tidemark/schemas/add-on.ts'
import { decimal } from '@tidemark/schemas/decimal.ts'
import type { Currency } from '@tidemark/schemas/money.ts'
import { currenciesOf, type Plan, planTerms, pricesIn } from '@tidemark/schemas/plan.ts'
import type { SubscriptionAddOn } from '@tidemark/schemas/subscription-change.ts'
import { dividesEither, intervalText } from '../catalogue/price-faults.ts'
import type { PhaseAddOn } from './timeline.ts'

/** A version that may be subscribed to, or why there is none. */
export type Offer<Item> = { readonly version: number; readonly item: Item } | string

/** What is subscribed to, found by its id. */
export type Offers = { plan(id: string): Offer<Plan>; addOn(id: string): Offer<AddOn> }

/** A fault of one field of a request. */
export type FieldFault = { readonly field: string; readonly reason: string }

export type FoundPlan = { readonly plan: Plan; readonly version: number }

export function findPlan(id: string, currency: Currency, offers: Offers): FoundPlan | FieldFault {
  const offer = offers.plan(id)
  if (typeof offer === 'string') return { field: 'plan', reason: offer }
  if (pricesIn(offer.item, currency).length > 0) return { plan: offer.item, version: offer.version }
  const reason = `plan "${id}" is in ${currenciesOf(offer.item).join(' and ')}, but the customer pays in ${currency}`
  return { field: 'plan', reason }
}

/** Add-ons with their versions: those in force keep theirs. */
export function findAddOns(
  asked: readonly SubscriptionAddOn[],
  plan: Plan,
  currency: Currency,
  offers: Offers,
  inForce: readonly PhaseAddOn[] = [],
): { addOns: PhaseAddOn[]; faults: FieldFault[] } {
  const addOns: PhaseAddOn[] = []
  const faults: FieldFault[] = []
  for (const [index, { id, quantity = '1' }] of asked.entries()) {
    const field = `addOns[${index}].id`
    const before = inForce.find((each) => each.id === id)
    const offer = offers.addOn(id)
    if (addOns.some((each) => each.id === id))
      faults.push({ field, reason: `"${id}" stands there already; give it a quantity instead` })
    else if (before) addOns.push({ ...before, quantity: decimal(quantity) })
    else if (typeof offer === 'string') faults.push({ field, reason: offer })
    else {
      const reason = unfit(offer.item, plan, currency)
      if (reason !== undefined) faults.push({ field, reason })
      addOns.push({ id, version: offer.version, quantity: decimal(quantity) })
    }
  }
  return { addOns, faults }
}

/** Why an add-on cannot be billed with a plan. */
function unfit(addOn: AddOn, plan: Plan, currency: Currency): string | undefined {
  const prices = pricesIn(addOn, currency)
  if (prices.length === 0)
    return `add-on "${addOn.id}" is in ${currenciesOf(addOn).join(' and ')}, but the customer pays in ${currency}`
  const { interval } = planTerms(plan)
  const other = prices.find((price) => price.interval && !dividesEither(price.interval, interval))
  return other
    ? `its price "${other.id}" has an interval that plan "${plan.id}", billed every ${intervalText(interval)}, is no multiple or part of`
    : undefined
}
