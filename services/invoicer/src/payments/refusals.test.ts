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
  expect(meaningOf(failure(code, retryable))).toBe(meaning)
  expect(needsPerson(failure(code, retryable))).toBe(person)
})
