import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import { type Interval, periodAt } from '@tidemark/schemas/calendar.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Refusal } from './refusal.ts'
import { anchorAt, type Phase, phaseAt, type Timeline } from './timeline.ts'

/** What a change of a timeline rests on besides the timeline. */
export type Situation = {
  readonly now: Micros1970
  /** The customer's. */
  readonly zone: string
  /** End of the last period that is billed; undefined when none is. */
  readonly billedUntil: Micros1970 | undefined
  /** Whether fees in advance of what follows that end, or the start, are billed too. */
  readonly billedAhead: boolean
  /** The billing period of a version of a plan. */
  intervalOf(phase: Pick<Phase, 'plan' | 'planVersion'>): Interval
}

/** `period_end`: where the period ends that is under way, or the first one of what has not begun. */
export type When = 'now' | 'period_end' | Micros1970

/** The billing period that an instant lies in, whole: a start or an end inside it does not cut it. */
export function wholePeriodAt(
  timeline: Timeline,
  { zone, intervalOf }: Situation,
  instant: Micros1970,
): BillingPeriod {
  const phase = phaseAt(timeline, instant) ?? timeline.phases.at(instant < timeline.start ? 0 : -1)
  if (!phase) throw new RangeError('a subscription that never begins has no periods')
  return periodAt(instant, anchorAt(timeline, phase.from), intervalOf(phase), zone)
}

/** Whether a period begins at the instant, the first one's cut beginning included. */
export const isBoundary = (timeline: Timeline, situation: Situation, instant: Micros1970): boolean =>
  instant === timeline.start || wholePeriodAt(timeline, situation, instant).start === instant

/** The instant that a request means. */
export function instantOfWhen(timeline: Timeline, situation: Situation, when: When): Micros1970 {
  const soonest = Math.max(situation.now, timeline.start)
  if (when === 'now') return soonest
  if (when !== 'period_end') return when
  return wholePeriodAt(timeline, situation, soonest).end
}

/** Why nothing can change from an instant on: what is billed rests on it (rule 7). */
export function lockedAt(
  timeline: Timeline,
  { billedUntil, billedAhead }: Situation,
  instant: Micros1970,
): Refusal | undefined {
  const until = billedUntil ?? timeline.start
  if (instant < timeline.start)
    return {
      code: 'invalid_change',
      field: 'effective',
      reason: `the subscription begins at ${formatInstant(timeline.start)}; nothing of it can change before`,
    }
  if (billedUntil !== undefined && instant < billedUntil)
    return {
      code: 'already_billed',
      field: 'effective',
      reason: `the subscription is billed until ${formatInstant(billedUntil)}; it can change from then on`,
    }
  if (billedAhead && instant === until)
    return {
      code: 'already_billed',
      field: 'effective',
      reason: `the fees in advance from ${formatInstant(until)} on are billed; it can change after that instant`,
    }
  return undefined
}
