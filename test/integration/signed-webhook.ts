import { randomUUID } from 'node:crypto'
import { signatureHeader } from '@tidemark/infra/stripe-simulator/webhook-signature.ts'
import { webhookSecret } from './payments-room.ts'

export type IntentEvent = {
  type: string
  attemptId: string
  status: string
  amountReceived?: number
  error?: { code: string; decline_code?: string }
}

const idOf = (kind: string): string => `${kind}_${randomUUID().replaceAll('-', '')}`

/** The body of an event about a PaymentIntent, as Stripe writes it; every call gives another event. */
export const eventBody = ({ type, attemptId, status, amountReceived = 0, error }: IntentEvent): string =>
  JSON.stringify({
    id: idOf('evt'),
    object: 'event',
    type,
    created: Math.floor(Date.now() / 1000),
    data: {
      object: {
        id: `pi_${attemptId}`,
        object: 'payment_intent',
        status,
        amount_received: amountReceived,
        currency: 'eur',
        customer: 'cus_1',
        latest_charge: null,
        last_payment_error: error === undefined ? null : { type: 'card_error', ...error },
        metadata: { tidemark_attempt: attemptId },
      },
    },
  })

export const succeeded = (attemptId: string, amountReceived = 1_250): string =>
  eventBody({ type: 'payment_intent.succeeded', attemptId, status: 'succeeded', amountReceived })

export const failed = (attemptId: string, code = 'card_declined'): string =>
  eventBody({
    type: 'payment_intent.payment_failed',
    attemptId,
    status: 'requires_payment_method',
    error: { code },
  })

export const processing = (attemptId: string): string =>
  eventBody({ type: 'payment_intent.processing', attemptId, status: 'processing' })

export type Delivery = { secret?: string; offSeconds?: number; header?: string | undefined }

/** Delivers a body as Stripe does, signed now unless told. */
export async function deliver(url: string, body: string, how: Delivery = {}) {
  const seconds = Math.floor(Date.now() / 1000) + (how.offSeconds ?? 0)
  const signature = 'header' in how ? how.header : signatureHeader(body, how.secret ?? webhookSecret, seconds)
  const response = await fetch(`${url}/v1/webhooks/stripe`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(signature === undefined ? {} : { 'stripe-signature': signature }),
    },
    body,
  })
  const answer: unknown = await response.json()
  return { status: response.status, body: answer }
}
