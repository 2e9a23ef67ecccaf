import { Temporal } from 'temporal-polyfill'
import { formatInstant, type Micros1970 } from './instant.ts'

/** Half-open [start, end) in microseconds since 1970. */
export type BillingPeriod = { readonly start: Micros1970; readonly end: Micros1970 }

const microsOf = (local: Temporal.PlainDate, timeZone: string): Micros1970 =>
  local.toZonedDateTime({ timeZone }).epochMilliseconds * 1000

/**
 * The monthly period that contains an instant, in the customer's time zone. The anchor day is kept and clamped month by
 * month without drift: 31 Jan → 28 Feb → 31 Mar.
 */
export function monthlyPeriodAt(instant: Micros1970, anchorDay: number, timeZone: string): BillingPeriod {
  const local = zoned(instant, timeZone).toPlainDate()
  const month = local.toPlainYearMonth()
  const boundary = (offset: number) =>
    month.add({ months: offset }).toPlainDate({ day: 1 }).with({ day: anchorDay }, { overflow: 'constrain' })
  const offset = Temporal.PlainDate.compare(local, boundary(0)) < 0 ? -1 : 0
  return { start: microsOf(boundary(offset), timeZone), end: microsOf(boundary(offset + 1), timeZone) }
}

/** The period that follows. */
export const nextMonthlyPeriod = (
  period: BillingPeriod,
  anchorDay: number,
  timeZone: string,
): BillingPeriod => monthlyPeriodAt(period.end, anchorDay, timeZone)

/** Day of the month of the instant, in the zone. */
export const dayOfMonth = (instant: Micros1970, timeZone: string): number => zoned(instant, timeZone).day

function zoned(instant: Micros1970, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(instant / 1000)).toZonedDateTimeISO(timeZone)
}

export function isTimeZone(name: string): boolean {
  try {
    zoned(0, name)
    return true
  } catch {
    return false
  }
}

export const formatPeriod = (period: BillingPeriod): { start: string; end: string } => ({
  start: formatInstant(period.start),
  end: formatInstant(period.end),
})
