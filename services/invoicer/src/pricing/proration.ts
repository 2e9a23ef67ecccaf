import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { DatedPeriod } from '@tidemark/schemas/calendar.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import {
  addDays,
  dayOf,
  daysBetween,
  isLastOfMonth,
  type LocalDate,
  localDateOf,
  monthOf,
  startOfDay,
} from '@tidemark/schemas/local-date.ts'
import type { Fraction } from './rated.ts'

/**
 * How the served part of a period is counted: calendar days from its first to before its last (half-open), with a last day
 * that has begun as a whole one (inclusive), by months of thirty days (fixed30), or by time (second).
 */
export type DayCount = 'half-open' | 'inclusive' | 'fixed30' | 'second'

export type ProrationTerms = { readonly dayCount: DayCount; readonly timeZone: string }

/**
 * The served part of a full period, exact: days (or microseconds) used over those of the period. What lies outside the
 * period does not count; contiguous parts of a period sum up to one, except that with `inclusive` a day on which one part
 * ends and the next begins is a day of both.
 * @throws RangeError for a period without a day
 */
export function proration(period: BillingPeriod, service: BillingPeriod, terms: ProrationTerms): Fraction {
  const start = Math.max(period.start, service.start)
  const end = Math.max(start, Math.min(period.end, service.end))
  const { numerator, denominator } =
    terms.dayCount === 'second'
      ? { numerator: end - start, denominator: period.end - period.start }
      : countDays(datesOf(period, terms), datesOf({ start, end }, terms), terms.dayCount)
  if (denominator <= 0) throw new RangeError('a period without a single day cannot be prorated')
  return { numerator: BigInt(start === end ? 0 : numerator), denominator: BigInt(denominator) }
}

/** Takes days of a trial off the start of what is served. */
export function afterTrial(service: BillingPeriod, trialDays: number, timeZone: string): BillingPeriod {
  const first = addDays(localDateOf(service.start, timeZone), trialDays)
  const start = trialDays === 0 ? service.start : startOfDay(first, timeZone)
  return { start: Math.min(start, service.end), end: service.end }
}

const countDays = (period: DatedPeriod, service: DatedPeriod, dayCount: DayCount) =>
  dayCount === 'fixed30'
    ? countFixed30(period, service)
    : {
        numerator: daysBetween(service.start, service.end),
        denominator: daysBetween(period.start, period.end),
      }

/** The first date and the date after the last. */
const datesOf = ({ start, end }: BillingPeriod, { dayCount, timeZone }: ProrationTerms): DatedPeriod => ({
  start: localDateOf(start, timeZone),
  end:
    dayCount === 'inclusive' && end > start
      ? addDays(localDateOf(lastInstant(end), timeZone), 1)
      : localDateOf(end, timeZone),
})

const lastInstant = (end: Micros1970): Micros1970 => end - 1

/**
 * Thirty times the months between two dates plus the difference of their day numbers, over thirty per month. It is counted
 * from the period's start, whose end is worth the whole: so the parts of a period that a short month has clamped
 * (31 Jan to 28 Feb) still sum up to it.
 */
function countFixed30(period: DatedPeriod, service: DatedPeriod) {
  const from = (date: LocalDate) =>
    30 * (monthOf(date) - monthOf(period.start)) + dayOf(date) - dayOf(period.start)
  const months = monthOf(period.end) - monthOf(period.start)
  const denominator = isWholeMonths(period, months) ? 30 * months : from(period.end)
  const position = (date: LocalDate) =>
    date === period.end ? denominator : Math.min(Math.max(from(date), 0), denominator)
  return { numerator: position(service.end) - position(service.start), denominator }
}

/** Whether the period is one of months, clamped or not, and not a week or some days across the end of a month. */
function isWholeMonths({ start, end }: DatedPeriod, months: number): boolean {
  if (months < 1 || daysBetween(start, end) < 28 * months) return false
  return dayOf(start) === dayOf(end) || isLastOfMonth(start) || isLastOfMonth(end)
}
