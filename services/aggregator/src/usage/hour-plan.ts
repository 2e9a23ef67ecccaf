import { hourOf, type Micros1970, microsPerHour } from '@tidemark/schemas/instant.ts'

/** The start of an hour in seconds since 1970, as ClickHouse counts a DateTime. */
export type Hour = number

export const hourAt = (instant: Micros1970): Hour => hourOf(instant) / 1_000_000
export const secondsPerHour = microsPerHour / 1_000_000

/** What is known of the hours of one meter in a range, as of one cut. */
export type HourKnowledge = {
  /** Published by the pass or an earlier one. */
  readonly sealed: { has(hour: Hour): boolean }
  /** Left unsealed by the pass, or with events between its cut and ours: a seal does not hold all of them. */
  readonly stale: ReadonlySet<Hour>
}

export type Range = { readonly from: Micros1970; readonly to: Micros1970 }

/** Every hour that the range touches. */
export function hoursOf({ from, to }: Range): Hour[] {
  const hours: Hour[] = []
  for (let hour = hourAt(from); hour * 1_000_000 < to; hour += secondsPerHour) hours.push(hour)
  return hours
}

/** Hours that lie in more than one window, or partly outside the range: a sealed value cannot be divided. */
export function dividedHours({ from, to }: Range, windowStarts: readonly Micros1970[]): Set<Hour> {
  const boundaries = [from, to, ...windowStarts]
  return new Set(boundaries.filter((boundary) => boundary !== hourOf(boundary)).map(hourAt))
}

/**
 * Which hours have to be read from raw events, and which sealed. An hour that is neither has no events: see MeterHours.
 */
export function planHours(
  range: Range,
  windowStarts: readonly Micros1970[],
  { sealed, stale }: HourKnowledge,
): { raw: Hour[]; sealed: Hour[] } {
  const divided = dividedHours(range, windowStarts)
  const hours = hoursOf(range)
  const isRaw = (hour: Hour) => stale.has(hour) || (divided.has(hour) && sealed.has(hour))
  return {
    raw: hours.filter(isRaw),
    sealed: hours.filter((hour) => !isRaw(hour) && sealed.has(hour)),
  }
}

/** The days of hours, for conditions on toDate(time): `2026-11-21`. */
export const daysOf = (hours: readonly Hour[]): string[] => [
  ...new Set(hours.map((hour) => new Date(hour * 1000).toISOString().slice(0, 10))),
]
