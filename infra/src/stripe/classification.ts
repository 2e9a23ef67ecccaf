import Stripe from 'stripe'
import { Failure } from '../process/failure.ts'

/** What an error of a call that moves no money means, or of one whose decline has been dealt with already. */
type Meaning = { code: string; retryable: boolean; advice: string }

const outcomeUnknown: Meaning = {
  code: 'processor_outcome_unknown',
  retryable: true,
  advice: 'It may or may not have been executed: ask with findByAttempt before it is repeated.',
}
const rateLimited: Meaning = {
  code: 'processor_rate_limited',
  retryable: true,
  advice: 'It was not executed: wait, then send it again.',
}
const unauthorized: Meaning = {
  code: 'processor_unauthorized',
  retryable: false,
  advice: 'Check STRIPE_SECRET_KEY and its permissions.',
}
const attemptMismatch: Meaning = {
  code: 'processor_attempt_mismatch',
  retryable: false,
  advice: 'The attempt was sent before with other parameters; an attempt never changes, so make a new one.',
}
const declined: Meaning = {
  code: 'processor_card_declined',
  retryable: false,
  advice: 'Ask the customer for another payment method.',
}
const refused: Meaning = {
  code: 'processor_refused_request',
  retryable: false,
  advice: 'Nothing was executed; the request has to be mended.',
}

/** Refusals that a caller treats by name: https://docs.stripe.com/error-codes */
const refusalsByCode: Record<string, Meaning> = {
  amount_too_small: {
    code: 'processor_amount_too_small',
    retryable: false,
    advice: 'The currency has a least amount; collect it together with a later invoice.',
  },
  amount_too_large: {
    code: 'processor_amount_too_large',
    retryable: false,
    advice: 'The currency has a greatest amount; collect it in parts.',
  },
  resource_missing: {
    code: 'processor_resource_missing',
    retryable: false,
    advice: 'The customer or payment method is unknown to this account; was the key changed?',
  },
}

/**
 * The one place that decides what an error of the processor means. Decided by HTTP status and by Stripe's error
 * codes (https://docs.stripe.com/error-low-level), never by the text of a message. What is not known for certain
 * not to have been executed counts as unknown.
 */
export function classify(error: unknown, call: string): Failure {
  if (error instanceof Failure) return error
  const meaning = meaningOf(error)
  const text = error instanceof Error ? error.message : String(error)
  return new Failure(`The payment processor did not accept ${call}: ${text} ${meaning.advice}`, {
    code: meaning.code,
    retryable: meaning.retryable,
    cause: error,
  })
}

function meaningOf(error: unknown): Meaning {
  if (!(error instanceof Stripe.errors.StripeError)) return outcomeUnknown
  const { statusCode, code } = error
  if (statusCode === undefined) return outcomeUnknown
  if (statusCode === 429) return rateLimited
  if (statusCode === 401 || statusCode === 403) return unauthorized
  if (statusCode === 402) return declined
  if (statusCode === 409 || statusCode >= 500) return outcomeUnknown
  if (error instanceof Stripe.errors.StripeIdempotencyError) return attemptMismatch
  if (statusCode === 400 || statusCode === 404) return refusalsByCode[code ?? ''] ?? refused
  return outcomeUnknown
}
