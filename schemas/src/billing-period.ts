import { type Interval, periodAt } from './calendar.ts'
import { formatInstant, type Micros1970 } from './instant.ts'
import { dayOf, localDateOf } from './local-date.ts'

/** Half-open [start, end) in microseconds since 1970. */
export type BillingPeriod = { readonly start: Micros1970; readonly end: Micros1970 }

const month: Interval = { unit: 'month', count: 1 }

/** A month with 31 days, so that the anchor's day exists in it. */
const monthlyAnchor = (day: number) => ({ date: '1970-01-01', day })

/** The monthly period that contains an instant, in the customer's time zone. */
export const monthlyPeriodAt = (instant: Micros1970, anchorDay: number, timeZone: string): BillingPeriod =>
  periodAt(instant, monthlyAnchor(anchorDay), month, timeZone)

/** The period that follows. */
export const nextMonthlyPeriod = (
  period: BillingPeriod,
  anchorDay: number,
  timeZone: string,
): BillingPeriod => monthlyPeriodAt(period.end, anchorDay, timeZone)

/** Day of the month of the instant, in the zone. */
export const dayOfMonth = (instant: Micros1970, timeZone: string): number =>
  dayOf(localDateOf(instant, timeZone))

export const formatPeriod = (period: BillingPeriod): { start: string; end: string } => ({
  start: formatInstant(period.start),
  end: formatInstant(period.end),
})
