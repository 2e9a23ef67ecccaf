import { type ErrorBody, unexpectedState } from './api-error.ts'
import {
  type Charge,
  type EventType,
  type IntentStatus,
  newId,
  type PaymentIntent,
  type PaymentMethod,
} from './stripe-objects.ts'
import { authenticationFailed, authenticationRequired, type Behaviour, type Decline } from './test-methods.ts'

/**
 * The life of a PaymentIntent, https://docs.stripe.com/payments/paymentintents/lifecycle. Pure but for the ids of
 * charges. A transition gives the new intent, the charge that was made or settled, the event types to announce
 * and, for a decline, the body of the 402.
 */
export type Transition = {
  intent: PaymentIntent
  charge?: Charge
  announce: EventType[]
  declined?: ErrorBody
}

const confirmable: IntentStatus[] = ['requires_payment_method', 'requires_confirmation']
const cancelable: IntentStatus[] = [...confirmable, 'requires_action']

export type Confirmation = {
  method: PaymentMethod
  behaviour: Behaviour
  offSession: boolean
  /** Seconds. */
  now: number
}

/** Only here and in `settle` does an intent become captured, and only from a state that is not: never twice. */
export function confirm(intent: PaymentIntent, confirmation: Confirmation): Transition {
  if (!confirmable.includes(intent.status)) throw unexpectedState(intent, 'confirm', confirmable)
  const { method, behaviour, offSession, now } = confirmation
  const chosen = { ...intent, payment_method: method.id, payment_method_types: [method.type] }
  if (behaviour.kind === 'succeed') return capture(chosen, now)
  if (behaviour.kind === 'decline') return decline(chosen, method, behaviour.decline, now)
  if (behaviour.kind === 'process') return process(chosen, now)
  if (!offSession) return askForAction(chosen)
  // Off-session nobody can act, so the intent goes back to requires_payment_method, not to requires_action:
  // https://support.stripe.com/questions/manual-confirmation-for-off-session-payments-requiring-strong-customer-authentication-(sca)
  return behaviour.exemptOffSession
    ? capture(chosen, now)
    : decline(chosen, method, authenticationRequired, now)
}

export function cancel(intent: PaymentIntent, reason: string | null, now: number): Transition {
  if (!cancelable.includes(intent.status)) throw unexpectedState(intent, 'cancel', cancelable)
  return {
    intent: {
      ...intent,
      status: 'canceled',
      canceled_at: now,
      cancellation_reason: reason,
      next_action: null,
    },
    announce: ['payment_intent.canceled'],
  }
}

export type Settlement = {
  method: PaymentMethod
  behaviour: Behaviour
  /** What the cardholder or the bank does; `auto` follows the test method. */
  outcome: 'succeeded' | 'failed' | 'auto'
  pending: Charge | undefined
  now: number
}

/** What happens outside of the API: the cardholder authenticates, or a bank debit clears. */
export function settle(intent: PaymentIntent, settlement: Settlement): Transition {
  const { method, behaviour, outcome, pending, now } = settlement
  if (intent.status !== 'requires_action' && intent.status !== 'processing') {
    throw unexpectedState(intent, 'settle', ['requires_action', 'processing'])
  }
  const failure = intent.status === 'requires_action' ? authenticationFailed : bankRefusal
  if (outcome === 'failed') return decline(intent, method, failure, now, pending)
  const planned = plannedEnding(behaviour)
  if (outcome === 'auto' && planned !== undefined) return decline(intent, method, planned, now, pending)
  return capture(intent, now, pending)
}

const bankRefusal: Decline = {
  code: 'payment_method_provider_decline',
  message: 'The bank refused the debit.',
}

function plannedEnding(behaviour: Behaviour): Decline | undefined {
  if (behaviour.kind === 'process') return behaviour.ending
  if (behaviour.kind === 'authenticate') return behaviour.afterwards
  return undefined
}

function capture(intent: PaymentIntent, now: number, pending?: Charge): Transition {
  const charge: Charge = {
    ...(pending ?? chargeOf(intent, now)),
    amount_captured: intent.amount,
    captured: true,
    paid: true,
    status: 'succeeded',
  }
  return {
    intent: {
      ...intent,
      status: 'succeeded',
      amount_received: intent.amount,
      latest_charge: charge.id,
      last_payment_error: null,
      next_action: null,
    },
    charge,
    announce: ['charge.succeeded', 'payment_intent.succeeded'],
  }
}

function process(intent: PaymentIntent, now: number): Transition {
  const charge: Charge = { ...chargeOf(intent, now), status: 'pending' }
  return {
    intent: { ...intent, status: 'processing', latest_charge: charge.id, last_payment_error: null },
    charge,
    announce: ['charge.pending', 'payment_intent.processing'],
  }
}

function askForAction(intent: PaymentIntent): Transition {
  return {
    intent: {
      ...intent,
      status: 'requires_action',
      last_payment_error: null,
      next_action: { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect' } },
    },
    announce: ['payment_intent.requires_action'],
  }
}

/** A failed attempt detaches the method from the intent; the reason stays in last_payment_error. */
function decline(
  intent: PaymentIntent,
  method: PaymentMethod,
  reason: Decline,
  now: number,
  pending?: Charge,
): Transition {
  const charge: Charge = {
    ...(pending ?? chargeOf(intent, now)),
    status: 'failed',
    failure_code: reason.code,
    failure_message: reason.message,
  }
  const error = {
    type: 'card_error' as const,
    code: reason.code,
    message: reason.message,
    charge: charge.id,
    ...(reason.declineCode === undefined ? {} : { decline_code: reason.declineCode }),
  }
  const failed: PaymentIntent = {
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: charge.id,
    last_payment_error: { ...error, payment_method: method },
    next_action: null,
  }
  return {
    intent: failed,
    charge,
    announce: ['charge.failed', 'payment_intent.payment_failed'],
    declined: { ...error, payment_intent: failed },
  }
}

function chargeOf(intent: PaymentIntent, now: number): Charge {
  return {
    id: newId('ch'),
    object: 'charge',
    created: now,
    livemode: false,
    amount: intent.amount,
    amount_captured: 0,
    captured: false,
    paid: false,
    status: 'pending',
    currency: intent.currency,
    customer: intent.customer,
    payment_intent: intent.id,
    payment_method: intent.payment_method ?? '',
    failure_code: null,
    failure_message: null,
    metadata: intent.metadata,
  }
}
