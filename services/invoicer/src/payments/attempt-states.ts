/**
 * The life of a payment attempt (docs/architecture.md). `intent`: stored, nothing sent. `created`: the intent is made
 * but not confirmed, for processors that take two calls. `confirming`: a request may be on its way. `unknown`: a
 * request got no answer that says what became of it.
 */
export type AttemptState =
  | 'intent'
  | 'created'
  | 'confirming'
  | 'unknown'
  | 'processing'
  | 'requires_action'
  | 'succeeded'
  | 'failed'
  | 'canceled'

/** Every legal move; what is not here is refused, so that a late word never takes a settled attempt back. */
const moves: Record<AttemptState, readonly AttemptState[]> = {
  intent: ['created', 'confirming', 'canceled'],
  created: ['confirming', 'canceled'],
  confirming: ['unknown', 'processing', 'requires_action', 'succeeded', 'failed', 'canceled'],
  unknown: ['processing', 'requires_action', 'succeeded', 'failed', 'canceled'],
  processing: ['requires_action', 'succeeded', 'failed', 'canceled'],
  requires_action: ['processing', 'succeeded', 'failed', 'canceled'],
  succeeded: [],
  failed: [],
  canceled: [],
}

export const attemptStates: readonly AttemptState[] = [
  'intent',
  'created',
  'confirming',
  'unknown',
  'processing',
  'requires_action',
  'succeeded',
  'failed',
  'canceled',
]

export const canMoveAttempt = (from: AttemptState, to: AttemptState): boolean => moves[from].includes(to)

/** From where `to` may be reached: the condition of every UPDATE. */
export const attemptStatesBefore = (to: AttemptState): AttemptState[] =>
  attemptStates.filter((from) => canMoveAttempt(from, to))

/** Nothing comes after it. */
export const isFinal = (state: AttemptState): boolean => moves[state].length === 0

/**
 * What is to be done about an attempt without a final outcome. Only what was never sent may be sent at once; where a
 * request may be on its way the processor is asked first; where the processor has it, it is only asked.
 */
export type NextStep = 'send' | 'ask_then_send' | 'ask' | 'nothing'

export const nextStep: Record<AttemptState, NextStep> = {
  intent: 'send',
  created: 'ask_then_send',
  confirming: 'ask_then_send',
  unknown: 'ask_then_send',
  processing: 'ask',
  requires_action: 'ask',
  succeeded: 'nothing',
  failed: 'nothing',
  canceled: 'nothing',
}
