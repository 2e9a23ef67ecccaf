import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { type LocalDate, localDateOf, startOfDay } from '@tidemark/schemas/local-date.ts'

/**
 * A customer's time zones over time. A change counts for periods that begin after it: the one under way ends by the zone
 * that it began with.
 */
export type ZoneHistory = {
  readonly current: string
  /** In the order of time: each was the customer's until that instant. */
  readonly before: readonly { readonly until: Micros1970; readonly zone: string }[]
}

/** The zone of a period that begins at the instant. */
export const zoneAt = ({ current, before }: ZoneHistory, instant: Micros1970): string =>
  before.find(({ until }) => instant < until)?.zone ?? current

/**
 * The date that begins at an instant in a zone that was the customer's before: there the period before it ended. Undefined
 * where the instant begins a day in the zone of the period too, or in none.
 */
export function dateBegunBefore(history: ZoneHistory, instant: Micros1970): LocalDate | undefined {
  const begins = (zone: string) => startOfDay(localDateOf(instant, zone), zone) === instant
  if (begins(zoneAt(history, instant))) return undefined
  const zone = history.before.map((each) => each.zone).findLast(begins)
  return zone === undefined ? undefined : localDateOf(instant, zone)
}
