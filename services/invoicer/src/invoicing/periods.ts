import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import { type Anchor, datedPeriodAt, type Interval, periodAt } from '@tidemark/schemas/calendar.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { type LocalDate, localDateOf, startOfDay } from '@tidemark/schemas/local-date.ts'
import { dateBegunBefore, type ZoneHistory, zoneAt } from '../catalogue/time-zones.ts'
import { anchorAt, phaseAt } from '../subscriptions/timeline.ts'
import { eraAt } from './era.ts'
import { type BilledSubscription, termsOf } from './subscription.ts'

/** One interval of a price: by the calendar, and the part of it in which the subscription exists. */
export type Window = { readonly whole: BillingPeriod; readonly served: BillingPeriod }

/**
 * The billing period that begins at an instant: at its start the subscription's, later the end of the period before. By
 * the interval of the plan in force there; the subscription's end ends it. Undefined where nothing is in force.
 */
export function periodFrom(subscription: BilledSubscription, start: Micros1970): Window | undefined {
  const { timeline } = subscription
  const phase = phaseAt(timeline, start)
  if (!phase) return undefined
  const { interval } = termsOf(subscription, phase)
  const whole = intervalAt(subscription, anchorAt(timeline, start), interval, start)
  return { whole, served: { start, end: Math.min(whole.end, timeline.end) } }
}

/**
 * The interval that contains an instant. Where a period has ended by a zone that the customer has no more, the date that
 * began there decides, and the next interval begins where the one before has ended: the hours between the zones are
 * neither billed twice nor forgotten, nor do they become a period of their own.
 */
function intervalAt(
  subscription: BilledSubscription,
  anchor: Anchor,
  interval: Interval,
  instant: Micros1970,
): BillingPeriod {
  const { timeline, timeZone, zones } = subscription
  if (!zones || instant <= timeline.start) return periodAt(instant, anchor, interval, timeZone)
  const begun = dateBegunBefore(zones, instant)
  const dated = datedPeriodAt(begun ?? localDateOf(instant, timeZone), anchor, interval)
  const start = startOfDay(dated.start, timeZone)
  const turned = dated.start === begun ? instant : turnedAt(subscription, zones, dated.start)
  return {
    start: turned ?? startOfDay(dated.start, zoneAt(zones, start)),
    end: startOfDay(dated.end, timeZone),
  }
}

/**
 * The instant at which a billing period has ended with a date, and the next one begun: a longer interval of a price begins
 * there too, whatever zone the customer has when it ends. Undefined where none has.
 */
function turnedAt(
  subscription: BilledSubscription,
  zones: ZoneHistory,
  date: LocalDate,
): Micros1970 | undefined {
  const { timeline } = subscription
  for (let at = timeline.start; ; ) {
    const phase = phaseAt(timeline, at)
    if (!phase) return undefined
    const zone = zoneAt(zones, at)
    const begun = at === timeline.start ? undefined : dateBegunBefore(zones, at)
    const { interval } = termsOf(subscription, phase)
    const { end } = datedPeriodAt(begun ?? localDateOf(at, zone), anchorAt(timeline, at), interval)
    const next = startOfDay(end, zone)
    if (end === date) return next
    if (end > date || next <= at) return undefined
    at = next
  }
}

/** Intervals from the one that contains an instant on, in order, as long as they begin before `until`. */
export function intervalsFrom(
  subscription: BilledSubscription,
  interval: Interval,
  from: Micros1970,
  until: Micros1970,
): BillingPeriod[] {
  const anchor = anchorAt(subscription.timeline, from)
  const found: BillingPeriod[] = []
  for (let at = from; at < until; ) {
    const whole = intervalAt(subscription, anchor, interval, at)
    found.push(whole)
    at = whole.end
  }
  return found
}

const isSame = (a: Interval, b: Interval): boolean => a.unit === b.unit && a.count === b.count

/** A price's intervals that end with, or within, a billing period: all of them when the subscription or its era ends there. */
export function windowsEnding(
  subscription: BilledSubscription,
  interval: Interval,
  period: Window,
): Window[] {
  const { start, end } = period.served
  const { timeline } = subscription
  const era = eraAt(timeline, start)
  const phase = phaseAt(timeline, start)
  if (phase && isSame(interval, termsOf(subscription, phase).interval))
    return [{ ...period, served: { start: goesOnFrom(subscription, interval, period), end } }]
  return intervalsFrom(subscription, interval, start, end)
    .filter((whole) => whole.end <= end || era.to <= end)
    .map((whole) => ({
      whole,
      served: { start: Math.max(whole.start, era.from), end: Math.min(whole.end, end) },
    }))
}

/** The beginning of an interval that a plan billed more often has left under way; the period's for all others. */
function goesOnFrom(
  subscription: BilledSubscription,
  interval: Interval,
  { whole, served: { start } }: Window,
): Micros1970 {
  const { timeline } = subscription
  const before = phaseAt(timeline, start - 1)
  if (!before || isSame(interval, termsOf(subscription, before).interval)) return start
  return Math.max(Math.min(whole.start, start), eraAt(timeline, start).from)
}

/** A price's intervals that begin with, or within, the billing period that begins at an instant. */
export function windowsBeginning(
  subscription: BilledSubscription,
  interval: Interval,
  start: Micros1970,
): Window[] {
  const { timeline } = subscription
  const period = periodFrom(subscription, start)
  if (!period) return []
  return intervalsFrom(subscription, interval, start, period.whole.end)
    .filter((whole) => whole.start >= start || start === timeline.start)
    .map((whole) => ({
      whole,
      served: { start: Math.max(whole.start, timeline.start), end: whole.end },
    }))
}
