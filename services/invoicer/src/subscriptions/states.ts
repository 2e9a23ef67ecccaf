import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Refusal } from './refusal.ts'
import { type Phase, phaseAt, type Timeline } from './timeline.ts'

export const subscriptionStates = ['scheduled', 'trialing', 'active', 'paused', 'canceled'] as const
export type SubscriptionState = (typeof subscriptionStates)[number]

export type Operation = 'change' | 'extend-trial' | 'pause' | 'resume' | 'cancel' | 'coupons'

/** Every legal operation by the state that it meets; docs/subscriptions.md shows the same table, and a test compares them. */
export const legalOperations: Record<SubscriptionState, readonly Operation[]> = {
  scheduled: ['change', 'extend-trial', 'cancel', 'coupons'],
  trialing: ['change', 'extend-trial', 'cancel', 'coupons'],
  active: ['change', 'pause', 'cancel', 'coupons'],
  paused: ['change', 'resume', 'cancel', 'coupons'],
  canceled: [],
}

const stateOfPhase: Record<Phase['status'], SubscriptionState> = {
  trial: 'trialing',
  active: 'active',
  paused: 'paused',
}

/** Never stored: it follows from the timeline and an instant. */
export function stateAt(timeline: Timeline, instant: Micros1970): SubscriptionState {
  // One that was canceled before it began never will.
  if (instant >= timeline.end || timeline.phases.length === 0) return 'canceled'
  const phase = phaseAt(timeline, instant)
  return phase ? stateOfPhase[phase.status] : 'scheduled'
}

/** Why an operation is not legal in a state; undefined when it is. */
export function illegal(operation: Operation, state: SubscriptionState): Refusal | undefined {
  if (legalOperations[state].includes(operation)) return undefined
  const states = subscriptionStates.filter((each) => legalOperations[each].includes(operation))
  return {
    code: 'illegal_transition',
    reason: `the subscription is ${state} then, and "${operation}" needs it to be ${states.join(' or ')}`,
  }
}
