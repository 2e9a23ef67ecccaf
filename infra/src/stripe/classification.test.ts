import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { Failure } from '../process/failure.ts'
import { classify } from './classification.ts'

const { errors } = Stripe
const status = (statusCode: number, code?: string) =>
  errors.generateV1Error({
    type: 'invalid_request_error',
    message: 'no',
    statusCode,
    ...(code === undefined ? {} : { code }),
  })

test.each<[string, unknown, string, boolean]>([
  [
    'a connection error',
    new errors.StripeConnectionError({ message: 'reset' }),
    'processor_outcome_unknown',
    true,
  ],
  ['409', status(409), 'processor_outcome_unknown', true],
  ['500', status(500), 'processor_outcome_unknown', true],
  ['503', status(503), 'processor_outcome_unknown', true],
  ['429', status(429), 'processor_rate_limited', true],
  ['401', status(401), 'processor_unauthorized', false],
  ['403', status(403), 'processor_unauthorized', false],
  ['402', status(402), 'processor_card_declined', false],
  ['400', status(400, 'parameter_missing'), 'processor_refused_request', false],
  ['400 too small', status(400, 'amount_too_small'), 'processor_amount_too_small', false],
  ['404', status(404, 'resource_missing'), 'processor_resource_missing', false],
  [
    'a key with other parameters',
    errors.generateV1Error({ type: 'idempotency_error', message: 'no', statusCode: 400 }),
    'processor_attempt_mismatch',
    false,
  ],
  ['what nobody knows', new TypeError('?'), 'processor_outcome_unknown', true],
])('%s', (_name, error, code, retryable) => {
  expect(classify(error, 'attempt 1')).toMatchObject({ code, retryable, cause: error })
})

test('a Failure passes through', () => {
  const failure = new Failure('x', { code: 'y', retryable: false })
  expect(classify(failure, 'attempt 1')).toBe(failure)
})
