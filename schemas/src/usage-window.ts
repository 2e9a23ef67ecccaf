import { Temporal } from 'temporal-polyfill'
import type { BillingPeriod } from './billing-period.ts'
import type { Micros1970 } from './instant.ts'

export const usageWindows = ['none', 'minute', 'hour', 'day', 'month'] as const
/** How a range of usage is divided; none leaves it whole. */
export type UsageWindow = (typeof usageWindows)[number]

/**
 * Where the windows of a range begin, in the calendar of a time zone. The first begins with the range and the last ends
 * with it, wherever the calendar has its boundaries; undefined when there would be more than `most`.
 */
export function windowStarts(
  { start, end }: BillingPeriod,
  window: UsageWindow,
  timeZone: string,
  most: number,
): Micros1970[] | undefined {
  const starts = [start]
  if (window === 'none') return starts
  let boundary = Temporal.Instant.fromEpochMilliseconds(Math.floor(start / 1000)).toZonedDateTimeISO(timeZone)
  for (;;) {
    boundary = followingBoundary(boundary, window)
    const micros = boundary.epochMilliseconds * 1000
    if (micros >= end) return starts
    if (starts.length === most) return undefined
    starts.push(micros)
    // Every zone has been off by whole minutes since 1972: from one minute to the next there is nothing to look up.
    if (window === 'minute') return withMinutes(starts, end, most)
  }
}

function withMinutes(starts: Micros1970[], end: Micros1970, most: number): Micros1970[] | undefined {
  for (let next = (starts.at(-1) ?? end) + 60_000_000; next < end; next += 60_000_000) {
    if (starts.length === most) return undefined
    starts.push(next)
  }
  return starts
}

/** The first boundary after an instant; a day lasts 23 or 25 hours where the clocks change. */
function followingBoundary(
  instant: Temporal.ZonedDateTime,
  window: Exclude<UsageWindow, 'none'>,
): Temporal.ZonedDateTime {
  const { timeZoneId: timeZone } = instant
  const date = instant.toPlainDate()
  if (window === 'day') return date.add({ days: 1 }).toZonedDateTime({ timeZone })
  if (window === 'month') return date.with({ day: 1 }).add({ months: 1 }).toZonedDateTime({ timeZone })
  const later = instant.add(window === 'hour' ? { hours: 1 } : { minutes: 1 })
  const whole = later.round({ smallestUnit: window, roundingMode: 'floor' })
  // Where clocks go back by half an hour, the whole hour may lie before the instant itself.
  return Temporal.ZonedDateTime.compare(whole, instant) > 0 ? whole : later
}
