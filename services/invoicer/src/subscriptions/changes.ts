import type { Interval } from '@tidemark/schemas/calendar.ts'
import type { Decimal } from '@tidemark/schemas/decimal.ts'
import { formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { localDateOf } from '@tidemark/schemas/local-date.ts'
import { sorted } from './beginning.ts'
import { changeFrom, endAt, settle, splitAt } from './phases.ts'
import type { Refusal } from './refusal.ts'
import { instantOfWhen, isBoundary, lockedAt, type Situation, type When } from './situation.ts'
import { illegal, type Operation, stateAt } from './states.ts'
import { anchorAt, type Phase, type PhaseAddOn, phaseAt, type Timeline } from './timeline.ts'

// Each operation is a pure function of a timeline: what it would become, or why not. A preview is the same call.

/** What is to be in force; a field that is left out stays as it is. */
export type Terms = {
  readonly plan?: { readonly id: string; readonly version: number }
  readonly quantity?: Decimal
  /** All of them: those that are not named are removed. */
  readonly addOns?: readonly PhaseAddOn[]
}

/** Plan, quantity and add-ons from an instant on; a later change that was scheduled for the same field is replaced. */
export function changeTerms(
  timeline: Timeline,
  situation: Situation,
  when: When,
  { plan, quantity, addOns }: Terms,
): Timeline | Refusal {
  return from(timeline, situation, 'change', when, (at) => {
    const before = phaseAt(timeline, at)
    if (!before) return ended(timeline, at)
    const periods = plan === undefined ? {} : periodsOf(plan, before, timeline, situation, at)
    if ('reason' in periods) return periods
    return changeFrom(timeline, at, ({ anchor, ...phase }) => {
      const kept = plan === undefined ? anchor : periods.anchor
      return {
        ...phase,
        ...(plan === undefined ? {} : { plan: plan.id, planVersion: plan.version }),
        ...(quantity === undefined ? {} : { quantity }),
        ...(addOns === undefined ? {} : { addOns: sorted(addOns) }),
        ...(kept === undefined ? {} : { anchor: kept }),
      }
    })
  })
}

/** Where periods are counted from under a plan: on with those of the same length, anew from a boundary with others. */
function periodsOf(
  { id, version }: { id: string; version: number },
  before: Phase,
  timeline: Timeline,
  situation: Situation,
  at: Micros1970,
): Pick<Phase, 'anchor'> | Refusal {
  const interval = situation.intervalOf({ plan: id, planVersion: version })
  if (isSameInterval(interval, situation.intervalOf(before)))
    return before.anchor === undefined ? {} : { anchor: before.anchor }
  if (!isBoundary(timeline, situation, at))
    return {
      code: 'interval_differs',
      field: 'effective',
      reason: `plan "${id}" is billed by another interval (${interval.count} ${interval.unit}); change to it at period_end, when the period that is under way is over`,
    }
  const date = localDateOf(at, situation.zone)
  return { anchor: { ...anchorAt(timeline, at), date } }
}

const months = ({ unit, count }: Interval): Interval =>
  unit === 'year' ? { unit: 'month', count: count * 12 } : { unit, count }

const days = ({ unit, count }: Interval): Interval =>
  unit === 'week' ? { unit: 'day', count: count * 7 } : { unit, count }

const isSameInterval = (a: Interval, b: Interval): boolean => {
  const [x, y] = [days(months(a)), days(months(b))]
  return x.unit === y.unit && x.count === y.count
}

export const pause = (timeline: Timeline, situation: Situation, when: When): Timeline | Refusal =>
  from(timeline, situation, 'pause', when, (at) =>
    changeFrom(timeline, at, (phase) => ({ ...phase, status: 'paused' })),
  )

export const resume = (timeline: Timeline, situation: Situation, when: When): Timeline | Refusal =>
  from(timeline, situation, 'resume', when, (at) =>
    changeFrom(timeline, at, (phase) => ({ ...phase, status: 'active' })),
  )

/** Ends it there; before its start it then never begins. */
export const cancel = (timeline: Timeline, situation: Situation, when: When): Timeline | Refusal =>
  from(timeline, situation, 'cancel', when, (at) =>
    at > timeline.end
      ? {
          code: 'invalid_change',
          field: 'effective',
          reason: `the subscription ends at ${formatInstant(timeline.end)} already; withdraw that with effective "never" first`,
        }
      : endAt(timeline, at),
  )

/** Takes back a cancellation that has not come yet: what would have followed does. */
export function withdrawCancel(timeline: Timeline, situation: Situation): Timeline | Refusal {
  const refusal = illegal('cancel', stateAt(timeline, situation.now)) ?? lockedEnd(timeline, situation)
  return refusal ?? settle(endAt(timeline, Infinity), situation)
}

/** A last period that is billed ended where the cancellation said; it cannot go on. */
const lockedEnd = (timeline: Timeline, situation: Situation): Refusal | undefined =>
  timeline.end === Infinity
    ? undefined
    : lockedAt(timeline, { ...situation, billedAhead: false }, timeline.end)

/** Moves the end of the trial, which has not come yet, to a later instant. */
export function extendTrial(timeline: Timeline, situation: Situation, until: Micros1970): Timeline | Refusal {
  const { now } = situation
  const trial = timeline.phases.findLast(({ status }) => status === 'trial')
  const refusal = illegal('extend-trial', stateAt(timeline, now))
  if (refusal) return refusal
  if (!trial)
    return { code: 'illegal_transition', reason: 'the subscription has no trial that could be extended' }
  if (until <= trial.to || until >= timeline.end)
    return {
      code: 'invalid_change',
      field: 'until',
      reason: `a trial is extended to an instant after its end, ${formatInstant(trial.to)}, and before that of the subscription`,
    }
  const locked = lockedAt(timeline, situation, trial.to)
  if (locked) return locked
  const phases = splitAt(timeline.phases, until).map(
    (phase): Phase => (phase.to <= until ? { ...phase, status: 'trial' } : phase),
  )
  return settle({ ...timeline, phases }, situation)
}

/** What every operation at an instant has in common: legal then, nothing billed changes, and the result is settled. */
function from(
  timeline: Timeline,
  situation: Situation,
  operation: Operation,
  when: When,
  change: (at: Micros1970) => Timeline | Refusal,
): Timeline | Refusal {
  const state = stateAt(timeline, situation.now)
  if (state === 'canceled') return illegal(operation, state) ?? timeline
  const at = instantOfWhen(timeline, situation, when)
  if (at >= timeline.end && operation !== 'cancel') return ended(timeline, at)
  const then = when === 'now' ? state : stateAt(timeline, at)
  // Beyond its end there is no state; a cancellation there says so itself.
  const refusal =
    lockedAt(timeline, situation, at) ?? (at >= timeline.end ? undefined : illegal(operation, then))
  if (refusal) return refusal
  const changed = change(at)
  return 'reason' in changed ? changed : settle(changed, situation)
}

const ended = ({ end }: Timeline, at: Micros1970): Refusal => ({
  code: 'invalid_change',
  field: 'effective',
  reason: `the subscription ends at ${formatInstant(end)}, before ${formatInstant(at)}; withdraw its cancellation first`,
})
