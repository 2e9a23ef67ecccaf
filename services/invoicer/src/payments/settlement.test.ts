import type { ChargeOutcome } from '@tidemark/infra/stripe/outcome.ts'
import { expect, test } from 'vitest'
import type { AttemptState } from './attempt-states.ts'
import { checkCaptured, planSettlement } from './settlement.ts'

const open: AttemptState[] = ['confirming', 'unknown', 'processing', 'requires_action']

test.each(open)('success pays the invoice of an attempt that is %s', (state) => {
  expect(planSettlement(state, 'succeeded')).toEqual({
    kind: 'move',
    to: 'succeeded',
    invoice: 'paid',
    told: 'billing.payment.succeeded.v1',
  })
})

test.each(['failed', 'canceled'] as const)('%s makes the invoice past due', (status) => {
  expect(planSettlement('confirming', status)).toMatchObject({ to: status, invoice: 'past_due' })
})

test('authentication and waiting leave the invoice open', () => {
  expect(planSettlement('confirming', 'requires_action')).toMatchObject({ invoice: undefined })
  expect(planSettlement('confirming', 'processing')).toMatchObject({ invoice: undefined, told: undefined })
})

test.each(['failed', 'canceled', 'processing', 'requires_action'] as const)(
  'a late %s never takes a success back',
  (status) => {
    expect(planSettlement('succeeded', status)).toEqual({ kind: 'ignore' })
  },
)

test('the same word again changes nothing', () => {
  for (const status of ['succeeded', 'failed', 'canceled', 'processing', 'requires_action'] as const)
    expect(planSettlement(status, status)).toEqual({ kind: 'ignore' })
})

test.each(['failed', 'canceled'] as const)('a capture after %s calls for a person', (state) => {
  expect(planSettlement(state, 'succeeded')).toEqual({ kind: 'captured_after_end' })
})

const attempt = { id: 'a', amountMicros: 10_990_000n, currency: 'EUR' as const }
const captured = (change: Partial<ChargeOutcome>): ChargeOutcome => ({
  status: 'succeeded',
  intentId: 'pi_1',
  capturedMinor: 1_099n,
  currency: 'EUR',
  ...change,
})

test('another amount or currency than asked for is no payment', () => {
  expect(() => checkCaptured(attempt, captured({}))).not.toThrow()
  expect(() => checkCaptured(attempt, captured({ status: 'failed', capturedMinor: 0n }))).not.toThrow()
  const refusal = expect.objectContaining({ code: 'captured_amount_differs' })
  expect(() => checkCaptured(attempt, captured({ capturedMinor: 1_098n }))).toThrow(refusal)
  expect(() => checkCaptured(attempt, captured({ currency: 'USD' }))).toThrow(refusal)
})
