import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { type Month, microsPerDay, monthEnd, monthStart, monthText } from './month.ts'

/** What may still be asked of old usage; instants as micros since 1970. */
export type RetentionNeeds = {
  /** Subscriptions with periods that are not billed yet, and from when on. */
  readonly open: readonly { tenant: string; subscription: string; from: Micros1970; to: Micros1970 }[]
  /** Periods that certificates rest on, with the end of the time in which they must be verifiable. */
  readonly certified: readonly { tenant: string; from: Micros1970; to: Micros1970; until: Micros1970 }[]
  /** Months with hours that are not sealed. */
  readonly unsealed: readonly Month[]
  /** Months with events of meters that carry a level: every later window rests on them. */
  readonly carried: readonly { tenant: string; meter: string; month: Month }[]
}

export type MonthPlan = { readonly month: Month; readonly rows: bigint } & (
  | { readonly fate: 'kept' | 'expires' }
  | { readonly fate: 'refused'; readonly reasons: readonly string[] }
)

export type StoredMonth = { readonly month: Month; readonly rows: bigint }

/**
 * Which months go, in order. A month that something needs stays, and with it every later one: what has been removed is
 * one instant, before which there is nothing.
 */
export function planRetention(
  months: readonly StoredMonth[],
  needs: RetentionNeeds,
  retentionDays: number,
  now: Micros1970,
): MonthPlan[] {
  let blocking: Month | undefined
  return [...months]
    .sort((a, b) => a.month - b.month)
    .map((stored) => {
      const { month } = stored
      if (monthEnd(month) + retentionDays * microsPerDay > now) return { ...stored, fate: 'kept' }
      const reasons = reasonsToKeep(month, needs, now)
      if (blocking !== undefined) reasons.push(`${monthText(blocking)} before it stays`)
      if (reasons.length === 0) return { ...stored, fate: 'expires' }
      blocking ??= month
      return { ...stored, fate: 'refused', reasons }
    })
}

function reasonsToKeep(month: Month, needs: RetentionNeeds, now: Micros1970): string[] {
  const overlaps = ({ from, to }: { from: Micros1970; to: Micros1970 }) =>
    from < monthEnd(month) && to > monthStart(month)
  const open = needs.open.filter(overlaps)
  const certified = needs.certified.filter((each) => overlaps(each) && each.until > now)
  const carried = needs.carried.filter((each) => each.month === month)
  const reasons: string[] = []
  if (open[0])
    reasons.push(
      `subscription ${open[0].subscription} of ${open[0].tenant} is not billed from ${day(open[0].from)} on${more(open)}`,
    )
  if (certified[0]) {
    const until = Math.max(...certified.map((each) => each.until))
    reasons.push(
      `an invoice of ${certified[0].tenant} must be verifiable from it${more(certified)}, until ${day(until)}`,
    )
  }
  if (needs.unsealed.includes(month)) reasons.push('hours of it are not sealed: see GET /metrics and the log')
  if (carried[0])
    reasons.push(
      `meter ${carried[0].meter} of ${carried[0].tenant} carries a level over from its events${more(carried)}`,
    )
  return reasons
}

const day = (instant: Micros1970): string => formatInstant(instant).slice(0, 10)
const more = (all: readonly unknown[]): string => (all.length > 1 ? ` (and ${all.length - 1} more)` : '')
