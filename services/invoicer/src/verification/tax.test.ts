import { decimal } from '@tidemark/schemas/decimal.ts'
import { expect, test } from 'vitest'
import { compose, dueAt, plan, subscribed } from '../invoicing/example-subscription.ts'
import { taxAnswerJson, taxRequestJson, taxRequestSha256 } from '../tax/calculation-json.ts'
import type { TaxRequest } from '../tax/port.ts'
import { taxDifference } from './tax.ts'

const subscription = subscribed(
  [plan('a', [{ id: 'base', model: 'flat', amount: '20.00' }])],
  [{ from: '2026-10-01', plan: 'a' }],
)
const { lines } = compose(dueAt(subscription, '2026-10-01'))

const request: TaxRequest = {
  tenant: 't',
  idempotencyKey: 'invoice',
  currency: 'EUR',
  date: '2026-11-01',
  taxInclusive: false,
  seller: { country: 'DE', taxIds: [] },
  customer: { address: { country: 'DE', city: 'Köln' }, taxId: undefined, exemption: 'none' },
  lines: lines.map(({ id, netMicros }) => ({ id, netMicros })),
}
const answerAt = (rate: string) => ({
  provider: 'fixed',
  version: '1',
  lines: lines.map(({ id }) => ({ id, taxes: [{ id: 'vat', rate: decimal(rate) }] })),
})

const tax = { answer: answerAt('19'), requestSha256: taxRequestSha256(request) }
const kept = (asked: TaxRequest, rate: string) => ({
  request: taxRequestJson(asked),
  answer: taxAnswerJson(answerAt(rate)),
})

test('finds an answer, a request and amounts that are not those of the calculation', () => {
  const invoice = { tax, lines }
  expect(taxDifference(kept(request, '19'), invoice)).toBeUndefined()
  expect(taxDifference(undefined, invoice)?.path).toBe('tax.request')
  expect(taxDifference(kept(request, '7'), invoice)?.path).toBe('tax.lines[0].taxes[0].rate')
  expect(taxDifference(kept({ ...request, date: '2020-01-01' }, '19'), invoice)?.path).toBe('tax.request')
  const other = { tax, lines: lines.map((line) => ({ ...line, netMicros: line.netMicros + 10_000n })) }
  expect(taxDifference(kept(request, '19'), other)?.path).toBe('tax.request.lines[0].netMicros')
})
