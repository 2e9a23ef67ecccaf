import type { PaymentIntent } from './stripe-objects.ts'

/** The body of an error, as https://docs.stripe.com/api/errors describes it. */
export type ErrorBody = {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'
  message: string
  code?: string
  decline_code?: string
  param?: string
  charge?: string
  payment_intent?: PaymentIntent
}

/**
 * A request that changes nothing. `executed` says whether the endpoint had begun to execute when it failed: only
 * then is the answer kept under the idempotency key (https://docs.stripe.com/api/idempotent_requests).
 */
export class ApiError extends Error {
  readonly status: number
  readonly body: ErrorBody
  readonly executed: boolean

  constructor(status: number, body: ErrorBody, options: { executed: boolean }) {
    super(body.message)
    this.status = status
    this.body = body
    this.executed = options.executed
  }
}

/** A parameter is missing, unknown or wrong: found before execution, so nothing is kept. */
export function invalidRequest(message: string, details: { param?: string; code?: string } = {}): ApiError {
  return new ApiError(400, { type: 'invalid_request_error', message, ...details }, { executed: false })
}

export function missingParameter(param: string): ApiError {
  return invalidRequest(`Missing required param: ${param}.`, { param, code: 'parameter_missing' })
}

export function notFound(noun: string, id: string, param: string): ApiError {
  return new ApiError(
    param === 'id' ? 404 : 400,
    {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message: `No such ${noun}: '${id}'`,
      param,
    },
    { executed: true },
  )
}

/** The object is in a state that does not allow the call; nothing changes. */
export function unexpectedState(intent: PaymentIntent, verb: string, allowed: string[]): ApiError {
  return new ApiError(
    400,
    {
      type: 'invalid_request_error',
      code: 'payment_intent_unexpected_state',
      message: `You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be: ${allowed.join(', ')}.`,
      payment_intent: intent,
    },
    { executed: true },
  )
}

export function unauthorized(message: string): ApiError {
  return new ApiError(401, { type: 'invalid_request_error', message }, { executed: false })
}

/** https://docs.stripe.com/rate-limits: refused before the idempotency layer, so never kept. */
export function rateLimited(): ApiError {
  return new ApiError(
    429,
    {
      type: 'invalid_request_error',
      code: 'rate_limit',
      message: 'Request rate limit exceeded. Wait a moment and send the request again.',
    },
    { executed: false },
  )
}

export function keyInUse(key: string): ApiError {
  return new ApiError(
    409,
    {
      type: 'invalid_request_error',
      code: 'idempotency_key_in_use',
      message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
    },
    { executed: false },
  )
}

export function keyWithOtherParameters(key: string): ApiError {
  return new ApiError(
    400,
    {
      type: 'idempotency_error',
      message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    },
    { executed: false },
  )
}

/** What a scripted 500 answers, although the request was executed. */
export const serverError: ErrorBody = {
  type: 'api_error',
  message: 'An unknown error occurred (scripted fault error_500_after: the request was executed).',
}
