import type { Anchor } from '@tidemark/schemas/calendar.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { anchorAt, type Timeline } from '../subscriptions/timeline.ts'

/** A stretch of a subscription over which intervals are counted from one anchor. */
export type Era = { readonly from: Micros1970; readonly to: Micros1970 }

/**
 * The era that an instant lies in. A plan of another interval counts its own from where it begins: longer intervals of
 * prices that were under way end there, so that nothing of them is forgotten and nothing is counted in two.
 */
export function eraAt(timeline: Timeline, instant: Micros1970): Era {
  const anchor = anchorAt(timeline, instant)
  const others = timeline.phases.filter((phase) => !isSameGrid(anchorAt(timeline, phase.from), anchor))
  return {
    from: Math.max(timeline.start, ...others.filter(({ to }) => to <= instant).map(({ to }) => to)),
    to: Math.min(timeline.end, ...others.filter(({ from }) => from > instant).map(({ from }) => from)),
  }
}

/** Boundaries of the calendar are the same from whatever date they are counted. */
const isSameGrid = (a: Anchor, b: Anchor): boolean =>
  (a.alignment === 'calendar' && b.alignment === 'calendar') ||
  (a.date === b.date && a.day === b.day && a.alignment === b.alignment)
