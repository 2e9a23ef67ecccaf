import type { ProcessorEvent } from '@tidemark/infra/stripe/webhook.ts'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Word } from '../payments/settlement.ts'

/** The events that say what became of a charge; all others are kept and change nothing. */
const decisiveTypes = [
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  'payment_intent.processing',
  'payment_intent.requires_action',
]

const statuses = ['succeeded', 'processing', 'requires_action', 'failed', 'canceled'] as const

/**
 * What is kept of an event about a payment: our reading of it, verified, and nothing of the cardholder. Amounts are
 * decimal text, for JSON has no integers beyond 2^53.
 */
const keptWordSchema = Type.Object({
  attemptId: Type.String(),
  status: Type.Enum([...statuses]),
  intentId: Type.String(),
  capturedMinor: Type.String({ pattern: '^\\d{1,18}$' }),
  currency: Type.String(),
  declineCode: Type.Optional(Type.String()),
})

export type KeptWord = Static<typeof keptWordSchema>

/** What is kept as the event's payload: empty when it says nothing of a charge of ours. */
export function keptWord({ type, payment }: ProcessorEvent): KeptWord | Record<string, never> {
  if (!decisiveTypes.includes(type) || payment?.attemptId === undefined) return {}
  const { status, intentId, capturedMinor, currency, declineCode } = payment.outcome
  return {
    attemptId: payment.attemptId,
    status,
    intentId,
    capturedMinor: capturedMinor.toString(),
    currency,
    ...(declineCode === undefined ? {} : { declineCode }),
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Undefined when the payload names no attempt that could be ours. */
export function readKeptWord(payload: unknown): { attemptId: string; word: Word } | undefined {
  if (!Value.Check(keptWordSchema, payload) || !uuid.test(payload.attemptId)) return undefined
  const { attemptId, capturedMinor, ...word } = payload
  return { attemptId, word: { ...word, capturedMinor: BigInt(capturedMinor) } }
}
