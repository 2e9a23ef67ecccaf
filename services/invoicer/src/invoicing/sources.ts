import type { Interval } from '@tidemark/schemas/calendar.ts'
import { type Decimal, decimal } from '@tidemark/schemas/decimal.ts'
import { type PlanTerms, planTerms } from '@tidemark/schemas/plan.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import { needsOf } from '../pricing/rate.ts'
import type { Phase } from '../subscriptions/timeline.ts'
import { type BilledSubscription, planOf, versionKey } from './subscription.ts'

/** Where a line's price stands: in a version of a plan or of an add-on. */
export type PriceSource = {
  readonly kind: 'plan' | 'add-on'
  readonly id: string
  readonly version: number
}

/** When a price is due: usage and arrears where its interval ends, advance where it begins. */
export type Role = 'usage' | 'arrears' | 'advance'

/** A price in force, with what its amount follows from besides usage. */
export type PriceInForce = {
  /** One for a price over all versions that give it the same role and interval: what belongs together in time. */
  readonly key: string
  readonly source: PriceSource
  readonly price: Price
  readonly role: Role
  readonly interval: Interval
  readonly terms: PlanTerms
  /** What a price without a meter counts: the subscription's seats, or how many of the add-on. */
  readonly quantity: Decimal
  /** How often a flat fee is due: once for a plan, as often as there are of it for an add-on. */
  readonly times: Decimal
}

const one = decimal('1')

export const sourceKey = ({ kind, id, version }: PriceSource): string => `${kind} ${versionKey(id, version)}`

const roleOf = (price: Price): Role =>
  needsOf(price).meters.length > 0 ? 'usage' : (price.timing ?? 'arrears')

/** The prices of a phase in the invoice's currency, the plan's first, each in the order of its version. */
export function pricesOf(subscription: BilledSubscription, phase: Phase): PriceInForce[] {
  const { plan } = planOf(subscription, phase)
  const terms = planTerms(plan)
  const inForce = (
    source: PriceSource,
    prices: readonly Price[],
    own: string,
    counts: Pick<PriceInForce, 'quantity' | 'times'>,
  ): PriceInForce[] =>
    prices
      .filter((price) => (price.currency ?? own) === subscription.currency)
      .map((price) => {
        const role = roleOf(price)
        const interval = price.interval ?? terms.interval
        const owner = source.kind === 'plan' ? '' : source.id
        const key = JSON.stringify([owner, price.id, role, interval.unit, interval.count])
        return { key, source, price, role, interval, terms, ...counts }
      })
  const { quantity } = phase
  return [
    ...inForce({ kind: 'plan', id: phase.plan, version: phase.planVersion }, plan.prices, plan.currency, {
      quantity,
      times: one,
    }),
    ...phase.addOns.flatMap(({ id, version, quantity: count }) => {
      const found = subscription.addOns.get(versionKey(id, version))
      if (!found) throw new RangeError(`version ${version} of add-on "${id}" was not read`)
      const { prices, currency } = found.addOn
      return inForce({ kind: 'add-on', id, version }, prices, currency, { quantity: count, times: count })
    }),
  ]
}
