import { compare } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { localDateOf } from '@tidemark/schemas/local-date.ts'
import { isBoundary, type Situation } from './situation.ts'
import type { Phase, Timeline } from './timeline.ts'

/** The phases with one that begins at the instant, if it lies inside. */
export const splitAt = (phases: readonly Phase[], instant: Micros1970): Phase[] =>
  phases.flatMap((phase) =>
    phase.from < instant && instant < phase.to
      ? [
          { ...phase, to: instant },
          { ...phase, from: instant },
        ]
      : [phase],
  )

/** Changes every phase from an instant on; what was scheduled for other fields stays. */
export function changeFrom(
  { phases, beyond = [], ...timeline }: Timeline,
  instant: Micros1970,
  change: (phase: Phase) => Phase,
): Timeline {
  const changed = splitAt(phases, instant).map((phase) => (phase.from >= instant ? change(phase) : phase))
  return { ...timeline, phases: changed, beyond: beyond.map(change) }
}

/** The timeline with another end; Infinity withdraws the one that it has. */
export function endAt({ phases, beyond = [], ...timeline }: Timeline, end: Micros1970): Timeline {
  const all = splitAt(join([...phases, ...beyond]), end)
  return {
    ...timeline,
    end,
    phases: all.filter(({ from }) => from < end),
    beyond: all.filter(({ from }) => from >= end),
  }
}

/** Of several changes on one local date only the last one counts, and what changes nothing is no phase of its own. */
export const settle = (timeline: Timeline, situation: Situation): Timeline => ({
  ...timeline,
  phases: join(dropSuperseded(timeline, situation)),
})

/**
 * Drops each phase that ends on the date on which it began: the one before it lasts until the next. Kept are those that
 * fees in advance or the first day's usage rest on, where a period begins, and the first one after a trial or a pause,
 * whose usage would otherwise become free.
 */
function dropSuperseded(timeline: Timeline, situation: Situation): Phase[] {
  const { zone, billedUntil = timeline.start } = situation
  const kept: Phase[] = []
  for (const phase of timeline.phases) {
    const before = kept.at(-1)
    const isSuperseded =
      before !== undefined &&
      phase.from > billedUntil &&
      Number.isFinite(phase.to) &&
      localDateOf(phase.from, zone) === localDateOf(phase.to, zone) &&
      !(before.status === 'trial' && phase.status !== 'trial') &&
      !(before.status === 'paused' && phase.status === 'active') &&
      !isBoundary(timeline, situation, phase.from)
    if (isSuperseded) kept.splice(-1, 1, { ...before, to: phase.to })
    else kept.push(phase)
  }
  return kept
}

function join(phases: readonly Phase[]): Phase[] {
  const joined: Phase[] = []
  for (const phase of phases) {
    const before = joined.at(-1)
    if (before && isSame(before, phase)) joined.splice(-1, 1, { ...before, to: phase.to })
    else joined.push(phase)
  }
  return joined
}

/** Whether the same is in force in both. */
export const isSame = (a: Phase, b: Phase): boolean =>
  a.status === b.status &&
  a.plan === b.plan &&
  a.planVersion === b.planVersion &&
  compare(a.quantity, b.quantity) === 0 &&
  a.addOns.length === b.addOns.length &&
  a.addOns.every((addOn, index) => {
    const other = b.addOns[index]
    return (
      other !== undefined &&
      addOn.id === other.id &&
      addOn.version === other.version &&
      compare(addOn.quantity, other.quantity) === 0
    )
  }) &&
  a.anchor?.date === b.anchor?.date &&
  a.anchor?.day === b.anchor?.day &&
  a.anchor?.alignment === b.anchor?.alignment
