import type Stripe from 'stripe'
import { minorOfStripe } from './amounts.ts'

/**
 * What became of an attempt, in our words. `processing` is open: money may still move, so nothing new may be tried.
 * `requires_action` means that the customer must come and authenticate: money moves only with their help.
 * `failed` and `canceled` are final: this attempt never captures anything.
 */
export type ChargeOutcome = {
  status: 'succeeded' | 'processing' | 'requires_action' | 'failed' | 'canceled'
  intentId: string
  /** The captured amount in ISO 4217 minor units; 0 unless it succeeded. */
  capturedMinor: bigint
  /** ISO 4217, upper case. */
  currency: string
  chargeId?: string
  /** Why it failed: the decline code if the bank gave one, otherwise the error code. */
  declineCode?: string
}

const authenticationRequired = 'authentication_required'

/**
 * Reads a PaymentIntent. An off-session charge whose bank asks for the cardholder ends in requires_payment_method
 * with the error authentication_required (https://docs.stripe.com/declines/codes): for us the customer has to act.
 * An intent that is not confirmed yet, and has no error, may still be on its way inside of the processor: open.
 */
export function outcomeOf(intent: Stripe.PaymentIntent): ChargeOutcome {
  const charge = intent.latest_charge
  const chargeId = typeof charge === 'string' ? charge : charge?.id
  const error = intent.last_payment_error
  const declineCode = error?.decline_code ?? error?.code
  const status = statusOf(intent.status, error?.code)
  return {
    status,
    intentId: intent.id,
    capturedMinor:
      status === 'succeeded' ? minorOfStripe(BigInt(intent.amount_received), intent.currency) : 0n,
    currency: intent.currency.toUpperCase(),
    ...(chargeId === undefined ? {} : { chargeId }),
    ...(declineCode === undefined ? {} : { declineCode }),
  }
}

function statusOf(
  status: Stripe.PaymentIntent.Status,
  errorCode: string | undefined,
): ChargeOutcome['status'] {
  if (status === 'succeeded') return 'succeeded'
  if (status === 'canceled') return 'canceled'
  if (status === 'requires_action') return 'requires_action'
  if (status === 'requires_payment_method' && errorCode !== undefined) {
    return errorCode === authenticationRequired ? 'requires_action' : 'failed'
  }
  return 'processing'
}

const weight: Record<ChargeOutcome['status'], number> = {
  succeeded: 4,
  processing: 3,
  requires_action: 2,
  failed: 1,
  canceled: 0,
}

/** Of several intents of one attempt the one nearest to the money counts. */
export function decisiveOutcome(outcomes: ChargeOutcome[]): ChargeOutcome | undefined {
  return outcomes.toSorted((a, b) => weight[b.status] - weight[a.status])[0]
}
