import type { Price } from '@tidemark/schemas/price.ts'
import { metersBilledTwice } from '../catalogue/double-billing.ts'
import type { Mapping } from '../catalogue/known.ts'
import type { Refusal } from './refusal.ts'
import { type PriceLists, pricesOfPhase, type Subscription } from './subscription.ts'
import type { Phase } from './timeline.ts'

/** A subscription as far as it says which events it bills. */
export type BillingParty = Pick<Subscription, 'key' | 'customer' | 'currency' | 'timeline'>

/** A price of a subscription over a phase. */
type Item = { readonly price: Price; readonly phase: Phase }

const itemsOf = ({ timeline, currency }: BillingParty, lists: PriceLists): Item[] =>
  timeline.phases.flatMap((phase) => pricesOfPhase(lists, phase, currency).map((price) => ({ price, phase })))

/**
 * Why a subscription would bill events that it or another one of the same customer bills already (rule 2): the same meter
 * at the same time, unless filters, or the subjects that both name, tell the events apart. Its whole timeline counts, what
 * is only scheduled included. Undefined when each event is billed at most once per meter.
 * @param mappings all of the customer's subjects
 */
export function doubleBilling(
  party: BillingParty,
  others: readonly BillingParty[],
  lists: PriceLists,
  mappings: readonly Mapping[],
): Refusal | undefined {
  const items = itemsOf(party, lists)
  const rivals = others
    .filter(({ key }) => key !== party.key)
    .flatMap((other) => itemsOf(other, lists).map((item) => ({ key: other.key, item })))
  for (const [index, item] of items.entries()) {
    const twin = items
      .slice(index + 1)
      .find((other) => other.phase === item.phase && meterOfBoth(item, other))
    if (twin)
      return refusal(
        item,
        twin,
        `its price "${twin.price.id}" bills it too; name disjoint filters in both prices`,
      )
    const rival = rivals.find(
      ({ key, item: other }) =>
        meterOfBoth(item, other) !== undefined &&
        !haveOwnSubjects(party.key, key, overlapOf(item, other), mappings),
    )
    if (rival)
      return refusal(
        item,
        rival.item,
        `subscription "${rival.key}" of the same customer bills it by price "${rival.item.price.id}"; name disjoint filters in both prices, or give every subject of the customer its one subscription`,
      )
  }
  return undefined
}

const refusal = (item: Item, other: Item, reason: string): Refusal => ({
  code: 'billed_twice',
  reason: `price "${item.price.id}" would bill events of meter "${meterOfBoth(item, other)}" a second time: ${reason}`,
})

/** A meter whose events both would bill at one time. */
function meterOfBoth(a: Item, b: Item): string | undefined {
  const { from, to } = overlapOf(a, b)
  return from < to ? metersBilledTwice(a.price, b.price)[0] : undefined
}

const overlapOf = ({ phase: a }: Item, { phase: b }: Item): { from: number; to: number } => ({
  from: Math.max(a.from, b.from),
  to: Math.min(a.to, b.to),
})

/** While both bill, every subject of the customer names one subscription, and each of the two is named by some. */
function haveOwnSubjects(
  a: string,
  b: string,
  { from, to }: { from: number; to: number },
  mappings: readonly Mapping[],
): boolean {
  const named = mappings
    .filter((mapping) => mapping.from < to && from < mapping.to)
    .map(({ subscription }) => subscription)
  return named.includes(a) && named.includes(b) && !named.includes(undefined)
}
