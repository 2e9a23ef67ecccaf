import { Temporal } from 'temporal-polyfill'
import type { Micros1970 } from './instant.ts'

/** A date on the wall calendar of some zone: `2026-11-01`. Text sorts as time does. */
export type LocalDate = string

const dateText = /^\d{4}-\d\d-\d\d$/

/** From the year 1 on: PostgreSQL knows no year 0. */
export function isLocalDate(text: string): text is LocalDate {
  if (!dateText.test(text) || text.startsWith('0000')) return false
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' }).toString() === text
  } catch {
    return false
  }
}

export function isTimeZone(name: string): boolean {
  try {
    localDateOf(0, name)
    return true
  } catch {
    return false
  }
}

/** The date that clocks of the zone show at the instant. @throws RangeError for a zone that nobody knows. */
export const localDateOf = (instant: Micros1970, timeZone: string): LocalDate =>
  Temporal.Instant.fromEpochMilliseconds(Math.floor(instant / 1000))
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .toString()

/** The first instant of the date in the zone: midnight, or later where clocks skip midnight. */
export const startOfDay = (date: LocalDate, timeZone: string): Micros1970 =>
  Temporal.PlainDate.from(date).toZonedDateTime({ timeZone }).epochMilliseconds * 1000

const millisecondsPerDay = 86_400_000

/** Calendar days from one date to another; negative when the second is earlier. */
export const daysBetween = (from: LocalDate, to: LocalDate): number =>
  (Date.parse(to) - Date.parse(from)) / millisecondsPerDay

export const addDays = (date: LocalDate, days: number): LocalDate =>
  Temporal.PlainDate.from(date).add({ days }).toString()

/** Day of the month, from 1. */
export const dayOf = (date: LocalDate): number => Number(date.slice(8))

/** Months since the year 0, to count months between dates with. */
export const monthOf = (date: LocalDate): number =>
  Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1

/** The date with that day in a month counted as monthOf does; the month's last day when it has no such day. */
export function dateInMonth(month: number, day: number): LocalDate {
  const year = Math.floor(month / 12)
  return Temporal.PlainDate.from(
    { year, month: month - year * 12 + 1, day },
    { overflow: 'constrain' },
  ).toString()
}

export const isLastOfMonth = (date: LocalDate): boolean => dayOf(addDays(date, 1)) === 1
