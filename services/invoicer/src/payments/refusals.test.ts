import { Failure } from '@tidemark/infra/process/failure.ts'
import { expect, test } from 'vitest'
import { meaningOf, needsPerson } from './refusals.ts'

const failure = (code: string, retryable = false) => new Failure('no', { code, retryable })

test.each([
  ['processor_amount_too_small', false, 'failed', false],
  ['processor_resource_missing', false, 'failed', false],
  ['processor_outcome_unknown', true, 'unknown', false],
  ['processor_rate_limited', true, 'later', false],
  ['processor_unauthorized', false, 'later', true],
  // Under a used key something was executed, whatever it was.
  ['processor_attempt_mismatch', false, 'unknown', true],
  ['processor_search_incomplete', false, 'unknown', true],
  ['never_heard_of', false, 'unknown', true],
])('%s', (code, retryable, meaning, person) => {
  const found = meaningOf(failure(code, retryable), false)
  expect(found).toBe(meaning)
  expect(needsPerson(failure(code, retryable), found)).toBe(person)
})

test.each([
  ['processor_card_declined', 'failed'],
  ['processor_amount_too_small', 'failed'],
  ['processor_resource_missing', 'unknown'],
  ['processor_refused_request', 'unknown'],
  ['processor_unauthorized', 'later'],
])('%s after it may have been sent', (code, meaning) => {
  expect(meaningOf(failure(code), true)).toBe(meaning)
})
