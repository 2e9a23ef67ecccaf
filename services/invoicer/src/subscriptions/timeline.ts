import type { Anchor } from '@tidemark/schemas/calendar.ts'
import type { Decimal } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'

/** What a phase means for its plan's fees and usage: by the plan's switches in trials and pauses, always when active. */
export type PhaseStatus = 'trial' | 'active' | 'paused'

export type PhaseAddOn = { readonly id: string; readonly version: number; readonly quantity: Decimal }

/** What is in force over half-open [from, to). */
export type Phase = {
  readonly from: Micros1970
  /** Infinity when nothing is known to follow. */
  readonly to: Micros1970
  readonly status: PhaseStatus
  readonly plan: string
  readonly planVersion: number
  /** What prices without a meter count: seats. */
  readonly quantity: Decimal
  /** In the order of their ids. */
  readonly addOns: readonly PhaseAddOn[]
  /** Since a plan with another interval began at a boundary: where periods are counted from then on. */
  readonly anchor?: Anchor
}

/** All that a subscription has been, is, and is known to become. */
export type Timeline = {
  readonly start: Micros1970
  /** Infinity while no end is known; the start itself when it was canceled before it began. */
  readonly end: Micros1970
  readonly anchor: Anchor
  /** Contiguous over [start, end), in order; none when that is empty. */
  readonly phases: readonly Phase[]
  /** Contiguous from the end on: what follows if the end is withdrawn, such as the rest of a trial. */
  readonly beyond?: readonly Phase[]
}

/** What is in force at an instant; undefined before the start and from the end on. */
export const phaseAt = (timeline: Timeline, instant: Micros1970): Phase | undefined =>
  timeline.phases.find(({ from, to }) => from <= instant && instant < to)

/** Where the periods around an instant are counted from. */
export const anchorAt = (timeline: Timeline, instant: Micros1970): Anchor =>
  phaseAt(timeline, instant)?.anchor ?? timeline.anchor

/** The phases that touch [from, to), clipped to it. */
export const phasesWithin = (
  timeline: Timeline,
  { from, to }: { from: Micros1970; to: Micros1970 },
): Phase[] =>
  timeline.phases
    .filter((phase) => phase.from < to && from < phase.to)
    .map((phase) => ({ ...phase, from: Math.max(phase.from, from), to: Math.min(phase.to, to) }))
