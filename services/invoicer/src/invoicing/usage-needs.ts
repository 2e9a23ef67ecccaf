import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Decimal } from '@tidemark/schemas/decimal.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Mapping } from '../catalogue/known.ts'
import type { Readings } from '../closing/readings.ts'
import { needsOf } from '../pricing/rate.ts'
import { phasesWithin } from '../subscriptions/timeline.ts'
import { type Window, windowsEnding } from './periods.ts'
import { type Segment, usageSegments } from './segments.ts'
import { type PriceInForce, pricesOf } from './sources.ts'
import type { BilledSubscription } from './subscription.ts'

/** Usage that a line rests on: one meter's, within the stretches of time that are billed. */
export type UsageNeed = {
  /** One in its invoice. */
  readonly id: string
  readonly meter: string
  readonly windows: readonly BillingPeriod[]
  /** Dimensions by whose values the quantity is told apart. */
  readonly dimensions: readonly string[]
  /** Which events count at all: values by dimension. */
  readonly filter: Readonly<Record<string, readonly string[]>>
  /** Whether the price charges each event by itself. */
  readonly events: boolean
}

/** What was read for a need; count and hash are of the events that the line rests on. */
export type ReadUsage = {
  readonly need: UsageNeed
  readonly meter: MeterVersion
  /** Clipped to the windows. */
  readonly mappings: readonly Mapping[]
  readonly count: bigint
  readonly hash: bigint
  /** Events whose value is no quantity: counted, never taken as zero. */
  readonly unreadable: bigint
  readonly readings: Readings
  readonly groups: readonly {
    readonly match: Readonly<Record<string, string>>
    readonly readings: Readings
  }[]
  /** Values in the order of time, source and id, where the need asks for them. */
  readonly events: readonly Decimal[] | undefined
}

/** One line's segment of a price of usage, within the window that it belongs to. */
export type UsageSegment = { readonly window: Window; readonly segment: Segment }

/** Each price once, in the order in which the plans of a period name them. */
export function pricesWithin(
  subscription: BilledSubscription,
  { start, end }: BillingPeriod,
): PriceInForce[] {
  const phases = phasesWithin(subscription.timeline, { from: start, to: end })
  const found = new Map<string, PriceInForce>()
  for (const price of phases.flatMap((phase) => pricesOf(subscription, phase)))
    if (!found.has(price.key)) found.set(price.key, price)
  return [...found.values()]
}

/**
 * Prices whose intervals may end with a period: those of every phase until its end, because what was in force for a part
 * of a long interval is due where the interval ends.
 */
export const pricesUntil = (subscription: BilledSubscription, { end }: BillingPeriod): PriceInForce[] =>
  pricesWithin(subscription, { start: subscription.timeline.start, end })

export const usageSegmentsOf = (subscription: BilledSubscription, period: Window): UsageSegment[] =>
  pricesUntil(subscription, period.served)
    .filter(({ role }) => role === 'usage')
    .flatMap((price) =>
      windowsEnding(subscription, price.interval, period).flatMap((window) =>
        usageSegments(subscription, price.key, window.served).map((segment) => ({ window, segment })),
      ),
    )

/** All usage that the invoice of a period rests on. */
export const usageNeeds = (subscription: BilledSubscription, period: Window): UsageNeed[] =>
  usageSegmentsOf(subscription, period).flatMap(({ segment }) => needsOfSegment(segment))

export function needsOfSegment({ key, from, price, billed }: Segment): UsageNeed[] {
  const { meters, dimensions, events } = needsOf(price)
  const filter = ('filter' in price && price.filter) || {}
  return meters.map((meter) => ({
    id: `${key} ${from} ${meter}`,
    meter,
    windows: billed,
    dimensions: dimensions.filter((name) => !(name in filter) || isMatched(price, name)),
    filter,
    events,
  }))
}

/** Whether a price tells usage apart by a dimension, besides choosing by it. */
const isMatched = (price: PriceInForce['price'], name: string): boolean =>
  price.model === 'per-unit' && (price.filters ?? []).some(({ match }) => name in match)
