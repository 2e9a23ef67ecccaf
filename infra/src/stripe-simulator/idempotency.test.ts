import { describe, expect, test } from 'vitest'
import { newAccount } from './accounts.ts'
import { decodeForm } from './form.ts'
import { findAnswer, fingerprintOf, keyLifeMs } from './idempotency.ts'

const fingerprint = fingerprintOf('POST', '/v1/customers', decodeForm('name=a'))

function accountWithAnswer() {
  const account = newAccount('acct_1')
  account.answers.set('k', { key: 'k', fingerprint, status: 500, body: {}, requestId: 'req_1', atMs: 1_000 })
  return account
}

function find(changes: { nowMs?: number; fingerprint?: string; inFlight?: boolean; key?: string } = {}) {
  return findAnswer(accountWithAnswer(), { key: 'k', fingerprint, nowMs: 2_000, inFlight: false, ...changes })
}

describe('findAnswer', () => {
  test('gives the kept answer for the same parameters, errors included', () => {
    expect(find()).toMatchObject({ status: 500, requestId: 'req_1' })
  })

  test('refuses other parameters with idempotency_error', () => {
    const other = fingerprintOf('POST', '/v1/customers', decodeForm('name=b'))
    expect(() => find({ fingerprint: other })).toThrow(
      expect.objectContaining({ status: 400, body: expect.objectContaining({ type: 'idempotency_error' }) }),
    )
  })

  test('refuses a key that is in flight with 409', () => {
    expect(() => find({ inFlight: true })).toThrow(
      expect.objectContaining({
        status: 409,
        body: expect.objectContaining({ code: 'idempotency_key_in_use' }),
      }),
    )
  })

  test('forgets after 24 hours, not a millisecond before', () => {
    expect(find({ nowMs: 1_000 + keyLifeMs - 1 })).toBeDefined()
    expect(find({ nowMs: 1_000 + keyLifeMs })).toBeUndefined()
  })

  test('refuses keys beyond 255 characters', () => {
    expect(() => find({ key: 'x'.repeat(256) })).toThrow(/255/)
  })
})

test('the order of parameters does not change the fingerprint, anything else does', () => {
  const of = (method: string, path: string, text: string) => fingerprintOf(method, path, decodeForm(text))
  const first = of('POST', '/v1/customers', 'name=a&metadata[x]=1&metadata[y]=2')
  expect(of('POST', '/v1/customers', 'metadata[y]=2&metadata[x]=1&name=a')).toBe(first)
  expect(of('POST', '/v1/customers', 'name=a&metadata[x]=1&metadata[y]=3')).not.toBe(first)
  expect(of('POST', '/v1/customers/cus_1', 'name=a&metadata[x]=1&metadata[y]=2')).not.toBe(first)
})
