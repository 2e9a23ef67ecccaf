import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { localDateOf } from '@tidemark/schemas/local-date.ts'
import { type Phase, phaseAt } from '../subscriptions/timeline.ts'
import { type BilledSubscription, termsOf } from './subscription.ts'

/** What is in force before and from an instant on; nothing after the subscription's end. */
export type Change = {
  readonly at: Micros1970
  readonly before: Phase | undefined
  readonly after: Phase | undefined
}

/**
 * The changes after a period's start, those at its end included. Several on one local date are one, from what was in force
 * before that date to what is at last; a plan that counts seconds tells them apart.
 */
export function changesWithin(subscription: BilledSubscription, { start, end }: BillingPeriod): Change[] {
  const { timeline, timeZone } = subscription
  const instants = [...timeline.phases.map(({ from }) => from), timeline.end].filter(
    (at) => at > start && at <= end,
  )
  const changes: Change[] = []
  for (const at of instants) {
    const before = phaseAt(timeline, at - 1)
    const after = phaseAt(timeline, at)
    const last = changes.at(-1)
    const bySeconds = before !== undefined && termsOf(subscription, before).dayCount === 'second'
    const isSameDate = last && localDateOf(last.at, timeZone) === localDateOf(at, timeZone)
    if (last && isSameDate && !bySeconds) changes.splice(-1, 1, { at, before: last.before, after })
    else changes.push({ at, before, after })
  }
  return changes
}
