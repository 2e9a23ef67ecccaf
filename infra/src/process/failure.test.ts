import { expect, test } from 'vitest'
import { asFailure, Failure } from './failure.ts'

test('a Failure stays what it is', () => {
  const failure = new Failure('gone', { code: 'gone', retryable: true })
  expect(asFailure(failure)).toBe(failure)
})

test('anything else is unexpected and not retried, and keeps its cause', () => {
  const cause = new TypeError('x is not a function')
  expect(asFailure(cause)).toMatchObject({
    message: cause.message,
    code: 'unexpected',
    retryable: false,
    cause,
  })
  expect(asFailure('text')).toMatchObject({ message: 'text', code: 'unexpected' })
})
