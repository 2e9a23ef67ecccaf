import { expect, test } from 'vitest'
import { attemptIdOf } from './collect-invoice.ts'

const request = { tenant: 'acme', invoiceId: 'i-1', actor: 'k', idempotencyKey: 'once' }

test('one key and invoice give one attempt, another of either gives another', () => {
  const id = attemptIdOf(request)
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(attemptIdOf({ ...request, actor: 'other' })).toBe(id)
  expect(attemptIdOf({ ...request, idempotencyKey: 'twice' })).not.toBe(id)
  expect(attemptIdOf({ ...request, invoiceId: 'i-2' })).not.toBe(id)
  expect(attemptIdOf({ ...request, tenant: 'other' })).not.toBe(id)
})
