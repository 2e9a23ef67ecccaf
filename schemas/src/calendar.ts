import type { BillingPeriod } from './billing-period.ts'
import type { Micros1970 } from './instant.ts'
import {
  addDays,
  dateInMonth,
  dayOf,
  daysBetween,
  type LocalDate,
  localDateOf,
  monthOf,
  startOfDay,
} from './local-date.ts'

/** How long a period is: `{ unit: 'month', count: 3 }` is a quarter. */
export type Interval = { readonly unit: 'day' | 'week' | 'month' | 'year'; readonly count: number }

/** Where periods are counted from. */
export type Anchor = {
  /** A date on which a period begins, in the customer's zone. */
  readonly date: LocalDate
  /** The day of the month that boundaries keep, 1 to 31, clamped in shorter months; by default that of the date. */
  readonly day?: number
  /** `calendar`: boundaries are those of weeks (Monday), months and years, whatever the date is. */
  readonly alignment?: 'anchor' | 'calendar'
}

/** Half-open [start, end) in dates of one zone. */
export type DatedPeriod = { readonly start: LocalDate; readonly end: LocalDate }

/** A Monday, so that weeks of a calendar begin on one; days, months and years are counted from 1970. */
const calendarOrigin = { day: '1970-01-01', week: '1970-01-05', month: '1970-01-01', year: '1970-01-01' }

const monthsPer = { month: 1, year: 12 }
const daysPer = { day: 1, week: 7 }

/** The date on which the period with that index begins; the one of the anchor's date has index 0, earlier ones less. */
export function boundaryDate(anchor: Anchor, { unit, count }: Interval, index: number): LocalDate {
  const aligned = anchor.alignment === 'calendar'
  const origin = aligned ? calendarOrigin[unit] : anchor.date
  if (unit === 'day' || unit === 'week') return addDays(origin, index * count * daysPer[unit])
  const day = aligned ? 1 : (anchor.day ?? dayOf(anchor.date))
  return dateInMonth(monthOf(origin) + index * count * monthsPer[unit], day)
}

/** The index of the period that a date lies in. */
export function periodIndexOf(date: LocalDate, anchor: Anchor, interval: Interval): number {
  const { unit, count } = interval
  const origin = anchor.alignment === 'calendar' ? calendarOrigin[unit] : anchor.date
  const estimate =
    unit === 'day' || unit === 'week'
      ? Math.floor(daysBetween(origin, date) / (count * daysPer[unit]))
      : Math.floor((monthOf(date) - monthOf(origin)) / (count * monthsPer[unit]))
  // By months the estimate is one too high for days of a month before its boundary.
  return boundaryDate(anchor, interval, estimate) <= date ? estimate : estimate - 1
}

/** The period that a date lies in, by dates. */
export function datedPeriodAt(date: LocalDate, anchor: Anchor, interval: Interval): DatedPeriod {
  const index = periodIndexOf(date, anchor, interval)
  return { start: boundaryDate(anchor, interval, index), end: boundaryDate(anchor, interval, index + 1) }
}

/**
 * The period that contains an instant, in the customer's zone. Boundaries are first instants of local days, and each is
 * counted from the anchor, so that ends of months are clamped without drift: 31 Jan → 28 Feb → 31 Mar.
 */
export function periodAt(
  instant: Micros1970,
  anchor: Anchor,
  interval: Interval,
  timeZone: string,
): BillingPeriod {
  const boundary = (index: number) => startOfDay(boundaryDate(anchor, interval, index), timeZone)
  let index = periodIndexOf(localDateOf(instant, timeZone), anchor, interval)
  // A zone that crossed the date line has lived through no instant of some day: a period of that day alone is empty.
  while (boundary(index + 1) <= instant) index += 1
  return { start: boundary(index), end: boundary(index + 1) }
}

/** The first boundary after the instant. */
export const nextBoundary = (
  instant: Micros1970,
  anchor: Anchor,
  interval: Interval,
  timeZone: string,
): Micros1970 => periodAt(instant, anchor, interval, timeZone).end

/** Whole periods that have ended between two dates, counted by the anchor's boundaries. */
export const cyclesElapsed = (start: LocalDate, at: LocalDate, anchor: Anchor, interval: Interval): number =>
  periodIndexOf(at, anchor, interval) - periodIndexOf(start, anchor, interval)
