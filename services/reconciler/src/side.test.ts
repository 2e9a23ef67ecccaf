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

test.each([
  ['a key with U+0000', { key: 'a\0b' }, 'key holds U+0000'],
  ['a key with half of a surrogate pair', { key: 'a\ud800' }, 'key holds U+0000'],
  ['a field name with U+0000', { 'a\0': 1 }, 'holds U+0000'],
  [
    'more digits than are kept',
    { fields: { total: { amount: '9'.repeat(60), currency: 'USD' } } },
    'at most 18',
  ],
  ['a currency that is none', { fields: { total: { amount: '1', currency: 'dollars' } } }, 'ISO 4217'],
  ['a year that is kept nowhere', { period: { start: '0101-01-01T00:00:00Z', end: period.end } }, '1970'],
  ['no tenant', { tenant: '' }, 'tenant'],
])('%s is kept aside, for PostgreSQL or ClickHouse would refuse it for ever', (_name, change, reason) => {
  const read = readLegacy(bytes({ ...legacy, ...change }))
  expect(read).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining(reason) })
})

test('the reason itself can be stored', () => {
  const read = readLegacy(Buffer.from('{\0'))
  expect(read.kind === 'unreadable' && read.reason).not.toContain('\0')
  expect(readLegacy(Buffer.from([0xff, 0xfe]))).toMatchObject({ reason: 'the value is not UTF-8' })
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
