import { ClickHouseError } from '@clickhouse/client'
import { expect, test } from 'vitest'
import { asClickHouseFailure } from './failures.ts'

const serverError = (code: string, type: string) => new ClickHouseError({ message: 'refused', code, type })

test.each([
  ['252', 'TOO_MANY_PARTS', 'clickhouse_too_many_parts'],
  ['241', 'MEMORY_LIMIT_EXCEEDED', 'clickhouse_memory_limit_exceeded'],
  ['164', 'READONLY', 'clickhouse_readonly'],
  ['159', 'TIMEOUT_EXCEEDED', 'clickhouse_timeout_exceeded'],
  ['319', 'UNKNOWN_STATUS_OF_INSERT', 'clickhouse_unknown_status_of_insert'],
])('%s %s may be tried again', (code, type, failureCode) => {
  expect(asClickHouseFailure(serverError(code, type))).toMatchObject({ code: failureCode, retryable: true })
})

test.each([
  ['60', 'UNKNOWN_TABLE'],
  ['62', 'SYNTAX_ERROR'],
  ['33', 'CANNOT_READ_ALL_DATA'],
  ['516', 'AUTHENTICATION_FAILED'],
])('%s %s is final', (code, type) => {
  expect(asClickHouseFailure(serverError(code, type))).toMatchObject({ retryable: false })
})

test('a broken connection may be tried again, a mistake of ours may not', () => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  expect(asClickHouseFailure(reset)).toMatchObject({ code: 'clickhouse_unreachable', retryable: true })
  expect(asClickHouseFailure(new TypeError('x is undefined'))).toMatchObject({
    code: 'clickhouse_client',
    retryable: false,
  })
})
