import { expect, test } from 'vitest'
import { readBillingEvent, readLegacy } from './side.ts'

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))
const period = { start: '2026-10-01T00:00:00Z', end: '2026-11-01T00:00:00Z' }
const legacy = {
  tenant: 'lumen',
  kind: 'invoice',
  key: 'sub-1',
  period,
  fields: { total: { amount: '12.50', currency: 'USD' } },
  observedAt: '2026-11-02T00:00:00Z',
}

test('an old invoice is a side', () => {
  expect(readLegacy(bytes(legacy))).toMatchObject({
    kind: 'side',
    side: { side: 'old', key: 'sub-1', amount: { amount: '12.50' } },
  })
})

test('what cannot be read says why', () => {
  const reasonOf = (value: unknown) => readLegacy(bytes(value))
  expect(readLegacy(null)).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining('no value') })
  expect(readLegacy(Buffer.from('{'))).toMatchObject({
    kind: 'unreadable',
    reason: expect.stringContaining('not JSON'),
  })
  expect(reasonOf({ ...legacy, fields: { total: { amount: '12,50', currency: 'USD' } } })).toMatchObject({
    kind: 'unreadable',
    reason: expect.stringContaining('fields.total.amount'),
  })
  expect(reasonOf({ ...legacy, period: { start: period.end, end: period.start } })).toMatchObject({
    kind: 'unreadable',
  })
  expect(reasonOf({ ...legacy, period: { start: 'yesterday', end: period.end } })).toMatchObject({
    kind: 'unreadable',
  })
})

test('of the billing events only an opened invoice is a side', () => {
  const data = {
    tenant: 'lumen',
    invoiceId: 'i',
    number: 'L-1',
    customer: 'c',
    subscription: 'sub-1',
    period,
    currency: 'USD',
    total: '12.50',
    state: 'open',
  }
  expect(readBillingEvent(bytes({ type: 'billing.invoice.opened.v1', data }))).toMatchObject({
    kind: 'side',
    side: { side: 'new', key: 'sub-1', amount: { amount: '12.50', currency: 'USD' } },
  })
  expect(readBillingEvent(bytes({ type: 'billing.invoice.paid.v1', data }))).toEqual({ kind: 'skip' })
  expect(readBillingEvent(bytes({ type: 'billing.invoice.opened.v1', data: {} }))).toMatchObject({
    kind: 'unreadable',
  })
})
