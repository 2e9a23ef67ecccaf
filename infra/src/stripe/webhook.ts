import Stripe from 'stripe'
import { Failure } from '../process/failure.ts'
import { unstorableText } from '../process/json-text.ts'
import { type ChargeOutcome, outcomeOf } from './outcome.ts'

/** Stripe's own tolerance, https://docs.stripe.com/webhooks#replay-attacks; ours holds for the future as well. */
export const webhookToleranceSeconds = 300

export type ProcessorEvent = {
  id: string
  type: string
  /** Milliseconds. */
  createdAt: number
  /** Given when the event is about a PaymentIntent: its state when the event was made, not necessarily now. */
  payment?: { outcome: ChargeOutcome; attemptId: string | undefined; customerId: string | undefined }
}

/**
 * Verifies the header Stripe-Signature over the raw body and gives the event. `now` is in milliseconds. Throws a
 * Failure `webhook_signature_invalid` when no v1 signature fits (several are allowed while a secret is rolled),
 * `webhook_timestamp_outside_tolerance` when it was signed over 300 s ago or ahead (the client checks only the past), and
 * `webhook_unreadable` when what is signed is no event.
 */
export function verifyWebhook(
  rawBody: string | Uint8Array,
  signatureHeader: string | undefined,
  secret: string,
  now: number,
): ProcessorEvent {
  const event = constructEvent(rawBody, signatureHeader, secret)
  const signedAt = timestampOf(signatureHeader ?? '')
  if (signedAt === undefined) throw signatureInvalid('Its header has not exactly one timestamp.')
  const offSeconds = Math.floor(now / 1_000) - signedAt
  if (Math.abs(offSeconds) > webhookToleranceSeconds) {
    throw new Failure(
      `The webhook was signed ${Math.abs(offSeconds)} s ${offSeconds < 0 ? 'ahead of' : 'before'} this server's clock; ${webhookToleranceSeconds} s are allowed. Check the clock, or send the event again.`,
      { code: 'webhook_timestamp_outside_tolerance', retryable: false },
    )
  }
  return readSigned(event)
}

/** A signature says who sends, not that it is what is read here: an answer of 500 would have it sent again for days. */
function readSigned(event: Stripe.Event): ProcessorEvent {
  let cause: unknown
  try {
    const read = readEvent(event)
    if (typeof read.id === 'string' && typeof read.type === 'string' && unstorableText(event) === undefined)
      return read
  } catch (error) {
    cause = error
  }
  throw new Failure(
    'The webhook is signed, but is no event as it is read here: check that the endpoint sends whole events (snapshots), not thin ones.',
    { code: 'webhook_unreadable', retryable: false, cause },
  )
}

/** Age is judged by the caller in both directions, so the client's one-sided check is switched off with 0. */
function constructEvent(
  rawBody: string | Uint8Array,
  header: string | undefined,
  secret: string,
): Stripe.Event {
  try {
    const body = typeof rawBody === 'string' ? rawBody : Buffer.from(rawBody)
    return Stripe.webhooks.constructEvent(body, header ?? '', secret, 0)
  } catch (cause) {
    throw signatureInvalid(
      'Check that STRIPE_WEBHOOK_SECRET is the secret of this endpoint and that the body arrives unchanged.',
      cause,
    )
  }
}

function signatureInvalid(advice: string, cause?: unknown): Failure {
  return new Failure(`The webhook has no valid signature. ${advice}`, {
    code: 'webhook_signature_invalid',
    retryable: false,
    cause,
  })
}

function readEvent(event: Stripe.Event): ProcessorEvent {
  const common = { id: event.id, type: event.type, createdAt: event.created * 1_000 }
  const object = event.data.object
  if (!('object' in object) || object.object !== 'payment_intent') return common
  const customer = object.customer
  return {
    ...common,
    payment: {
      outcome: outcomeOf(object),
      attemptId: object.metadata[attemptMetadataKey],
      customerId: (typeof customer === 'string' ? customer : customer?.id) ?? undefined,
    },
  }
}

/** Under this key every PaymentIntent of ours names its attempt. */
export const attemptMetadataKey = 'tidemark_attempt'

/** Several timestamps would let the one that is signed differ from the one that is judged. */
function timestampOf(header: string): number | undefined {
  const stamps = header.split(',').filter((part) => part.startsWith('t='))
  const digits = stamps[0]?.slice(2) ?? ''
  return stamps.length === 1 && /^\d{1,12}$/.test(digits) ? Number(digits) : undefined
}
