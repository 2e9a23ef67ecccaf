import { Failure } from '@tidemark/infra/process/failure.ts'
import { payableMinor } from '@tidemark/infra/stripe/amounts.ts'
import type { ChargeOutcome } from '@tidemark/infra/stripe/outcome.ts'
import type { BillingEventType } from '@tidemark/schemas/billing-event.ts'
import { minorUnits } from '@tidemark/schemas/money.ts'
import type { Attempt } from './attempt.ts'
import { type AttemptState, canMoveAttempt, isFinal } from './attempt-states.ts'

/** What the processor said of an attempt; a refusal of the request itself has no intent. */
export type Word = Omit<ChargeOutcome, 'intentId'> & { intentId?: string }

/** What an outcome makes of an invoice, and what is told of the payment. */
type Consequence = { invoice: 'paid' | 'past_due' | undefined; told: BillingEventType | undefined }

const consequences: Record<ChargeOutcome['status'], Consequence> = {
  succeeded: { invoice: 'paid', told: 'billing.payment.succeeded.v1' },
  failed: { invoice: 'past_due', told: 'billing.payment.failed.v1' },
  // Somebody ended the intent: charging again by itself would act against them.
  canceled: { invoice: 'past_due', told: 'billing.payment.failed.v1' },
  requires_action: { invoice: undefined, told: 'billing.payment.requires_action.v1' },
  processing: { invoice: undefined, told: undefined },
}

export type Settlement =
  | ({ kind: 'move'; to: AttemptState } & Consequence)
  /** Nothing changes: it is known already, or a late word about an attempt that has gone on. */
  | { kind: 'ignore' }
  /** Money was captured under an attempt that had ended otherwise: only a person can put that right. */
  | { kind: 'captured_after_end' }

/** What the processor's word means for an attempt, whatever the order in which words arrive. */
export function planSettlement(state: AttemptState, status: ChargeOutcome['status']): Settlement {
  if (canMoveAttempt(state, status)) return { kind: 'move', to: status, ...consequences[status] }
  if (status === 'succeeded' && isFinal(state) && state !== 'succeeded') return { kind: 'captured_after_end' }
  return { kind: 'ignore' }
}

/**
 * Holds what was captured against what was asked for: the amount, or the nearest that the processor takes in currencies
 * whose smallest unit it does not know.
 * @throws Failure `captured_amount_differs`: the invoice must not be called paid, a person has to look
 */
export function checkCaptured(
  attempt: Pick<Attempt, 'id' | 'amountMicros' | 'currency'>,
  outcome: Word,
): void {
  if (outcome.status !== 'succeeded') return
  const asked = payableMinor(minorUnits(attempt.amountMicros, attempt.currency), attempt.currency)
  if (outcome.currency === attempt.currency && outcome.capturedMinor === asked) return
  throw new Failure(
    `Attempt ${attempt.id} asked for ${attempt.amountMicros} micros of ${attempt.currency}, but ${outcome.intentId} captured ${outcome.capturedMinor} minor units of ${outcome.currency}. Correct it at the processor; the invoice stays as it is.`,
    { code: 'captured_amount_differs', retryable: false },
  )
}
