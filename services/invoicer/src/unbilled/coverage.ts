import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Mapping } from '../catalogue/known.ts'
import { hasUsage } from '../invoicing/segments.ts'
import { pricesOf } from '../invoicing/sources.ts'
import type { BilledSubscription } from '../invoicing/subscription.ts'
import { needsOf } from '../pricing/rate.ts'
import { type Phase, phaseAt } from '../subscriptions/timeline.ts'

/** Why an event that a meter counts is on no invoice, and will be on none unless something changes. */
export const unbilledReasons = [
  'unknown_subject',
  'no_subscription',
  'no_price',
  'trial',
  'paused',
  'filtered_out',
] as const
export type UnbilledReason = (typeof unbilledReasons)[number]

/** A price of the meter in force: which events it is for, and whether the phase bills them. */
type PriceInForce = {
  readonly subscription: string
  readonly filter: Readonly<Record<string, readonly string[]>>
  readonly unbilled: 'trial' | 'paused' | undefined
}

/** A stretch of time in which one answer holds for all events of a subject that have the same dimensions. */
export type Stretch = {
  readonly from: Micros1970
  readonly to: Micros1970
  readonly customer: string | undefined
  /** The one that could bill, when there is only one. */
  readonly subscription: string | undefined
  readonly reason: 'unknown_subject' | 'no_subscription' | 'no_price' | undefined
  readonly prices: readonly PriceInForce[]
}

/**
 * Who bills a subject's events of a meter, over a period: by the same prices, phases and switches as its invoices.
 * @param mappings the subject's own
 * @returns stretches end to end over the period
 */
export function coverageOf(
  meter: string,
  mappings: readonly Mapping[],
  subscriptionsOf: (customer: string) => readonly BilledSubscription[],
  { start, end }: BillingPeriod,
): Stretch[] {
  const candidates = mappings
    .filter(({ from, to }) => from < end && start < to)
    .map((mapping) => ({
      mapping,
      subscriptions: subscriptionsOf(mapping.customer).filter(
        ({ key }) => mapping.subscription === undefined || mapping.subscription === key,
      ),
    }))
  const instants = candidates.flatMap(({ mapping, subscriptions }) => [
    mapping.from,
    mapping.to,
    ...subscriptions.flatMap(({ timeline }) => timeline.phases.flatMap(({ from, to }) => [from, to])),
  ])
  const inside = instants.filter((instant) => start < instant && instant < end)
  const bounds = [...new Set([start, ...inside])].sort((a, b) => a - b)
  const stretches = bounds.map((from, index): Stretch => {
    const to = bounds[index + 1] ?? end
    const owner = candidates.find(({ mapping }) => mapping.from <= from && from < mapping.to)
    if (!owner) return { from, to, customer: undefined, ...uncovered('unknown_subject') }
    return { from, to, customer: owner.mapping.customer, ...coveredAt(meter, owner.subscriptions, from) }
  })
  return join(stretches)
}

type Answer = Omit<Stretch, 'from' | 'to' | 'customer'>

const uncovered = (reason: Stretch['reason'], subscription?: string): Answer => ({
  subscription,
  reason,
  prices: [],
})

function coveredAt(meter: string, subscriptions: readonly BilledSubscription[], at: Micros1970): Answer {
  const inForce = subscriptions.flatMap((subscription) => {
    const phase = phaseAt(subscription.timeline, at)
    return phase ? [{ subscription, phase }] : []
  })
  if (inForce.length === 0) return uncovered('no_subscription')
  const prices = inForce.flatMap(({ subscription, phase }) => pricesOfMeter(meter, subscription, phase))
  const [only] = inForce.length === 1 ? inForce : []
  if (prices.length === 0) return uncovered('no_price', only?.subscription.key)
  return { subscription: only?.subscription.key, reason: undefined, prices }
}

const pricesOfMeter = (meter: string, subscription: BilledSubscription, phase: Phase): PriceInForce[] =>
  pricesOf(subscription, phase)
    .filter(({ price }) => needsOf(price).meters.includes(meter))
    .map(({ price, terms }) => ({
      subscription: subscription.key,
      filter: ('filter' in price && price.filter) || {},
      unbilled: hasUsage(phase, terms) ? undefined : phase.status === 'trial' ? 'trial' : 'paused',
    }))

function join(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = []
  for (const stretch of stretches) {
    const before = joined.at(-1)
    if (before && answerOf(before) === answerOf(stretch)) joined.splice(-1, 1, { ...before, to: stretch.to })
    else joined.push(stretch)
  }
  return joined
}

const answerOf = ({ from: _, to: __, ...answer }: Stretch): string => JSON.stringify(answer)

/** What becomes of events with these dimensions: why they are not billed, or undefined when they are. */
export function fateOf(
  { customer, subscription, reason, prices }: Stretch,
  told: (dimension: string) => string,
): { customer: string | undefined; subscription: string | undefined; reason: UnbilledReason | undefined } {
  if (reason !== undefined) return { customer, subscription, reason }
  const passing = prices.filter(({ filter }) =>
    Object.entries(filter).every(([dimension, values]) => values.includes(told(dimension))),
  )
  const price = passing.find(({ unbilled }) => unbilled === undefined) ?? passing[0]
  if (!price) return { customer, subscription, reason: 'filtered_out' }
  return { customer, subscription: price.subscription, reason: price.unbilled }
}

/** Dimensions that decide what becomes of a stretch's events. */
export const dimensionsOf = (stretches: readonly Stretch[]): string[] => [
  ...new Set(stretches.flatMap(({ prices }) => prices.flatMap(({ filter }) => Object.keys(filter)))),
]
