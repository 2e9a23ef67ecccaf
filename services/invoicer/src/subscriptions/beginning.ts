import type { Anchor } from '@tidemark/schemas/calendar.ts'
import type { Decimal } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import {
  addDays,
  dateInMonth,
  dayOf,
  localDateOf,
  monthOf,
  startOfDay,
} from '@tidemark/schemas/local-date.ts'
import type { Phase, PhaseAddOn, Timeline } from './timeline.ts'

export type Beginning = {
  readonly start: Micros1970
  /** The customer's. */
  readonly zone: string
  readonly plan: string
  readonly planVersion: number
  readonly quantity: Decimal
  readonly addOns: readonly PhaseAddOn[]
  /** Local days from the start, the start's own the first. */
  readonly trialDays: number
  /** Day of the month that boundaries keep; by default the start's. */
  readonly anchorDay?: number
  readonly alignment: 'anchor' | 'calendar'
}

/** A subscription that begins with its trial, if it has one, and goes on without an end. */
export function begin({ start, zone, trialDays, ...beginning }: Beginning): Timeline {
  const { plan, planVersion, quantity, addOns } = beginning
  const base = { plan, planVersion, quantity, addOns: sorted(addOns) }
  const trialEnd = startOfDay(addDays(localDateOf(start, zone), trialDays), zone)
  const active: Phase = { ...base, from: start, to: Infinity, status: 'active' }
  return {
    start,
    end: Infinity,
    anchor: anchorOf(start, zone, beginning),
    phases:
      trialEnd <= start
        ? [active]
        : [
            { ...active, to: trialEnd, status: 'trial' },
            { ...active, from: trialEnd },
          ],
  }
}

/** The latest boundary at or before the start: a start between two boundaries has a first period that is cut. */
function anchorOf(
  start: Micros1970,
  zone: string,
  { anchorDay, alignment }: Pick<Beginning, 'anchorDay' | 'alignment'>,
): Anchor {
  const date = localDateOf(start, zone)
  if (anchorDay === undefined) return { date, day: dayOf(date), alignment }
  const month = monthOf(date)
  const inMonth = dateInMonth(month, anchorDay)
  return { date: inMonth <= date ? inMonth : dateInMonth(month - 1, anchorDay), day: anchorDay, alignment }
}

/** In one order for one set, so that the same add-ons compare as the same. */
export const sorted = (addOns: readonly PhaseAddOn[]): PhaseAddOn[] =>
  [...addOns].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
