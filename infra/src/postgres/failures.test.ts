import { DatabaseError } from 'pg'
import { expect, test } from 'vitest'
import { Failure } from '../process/failure.ts'
import { asPostgresFailure, ConstraintFailure } from './failures.ts'

function serverError(code: string, fields: Partial<DatabaseError> = {}): DatabaseError {
  return Object.assign(new DatabaseError('refused', 0, 'error'), { code }, fields)
}

test.each([
  ['40001', 'postgres_serialization'],
  ['40P01', 'postgres_deadlock'],
  ['57P01', 'postgres_shutting_down'],
  ['08006', 'postgres_unreachable'],
  ['53300', 'postgres_out_of_resources'],
])('%s may be tried again', (state, code) => {
  expect(asPostgresFailure(serverError(state))).toMatchObject({ code, retryable: true })
})

test('a constraint is named, so that callers can tell one duplicate from another', () => {
  const failure = asPostgresFailure(
    serverError('23505', { constraint: 'invoices_number_key', detail: 'Key exists.' }),
  )
  expect(failure).toBeInstanceOf(ConstraintFailure)
  expect(failure).toMatchObject({
    code: 'unique_violation',
    constraint: 'invoices_number_key',
    retryable: false,
    message: 'PostgreSQL: refused (Key exists.)',
  })
})

test('an error in a statement is final and keeps its SQLSTATE', () => {
  expect(asPostgresFailure(serverError('42P01'))).toMatchObject({ code: 'postgres_42p01', retryable: false })
})

test('a broken connection may be tried again, a mistake of ours may not', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  expect(asPostgresFailure(refused)).toMatchObject({ code: 'postgres_unreachable', retryable: true })
  expect(asPostgresFailure(new Error('Connection terminated unexpectedly'))).toMatchObject({
    retryable: true,
  })
  expect(asPostgresFailure(new TypeError('x is undefined'))).toMatchObject({
    code: 'postgres_client',
    retryable: false,
  })
})

test('a Failure passes as it is', () => {
  const failure = new Failure('no', { code: 'no', retryable: false })
  expect(asPostgresFailure(failure)).toBe(failure)
})
