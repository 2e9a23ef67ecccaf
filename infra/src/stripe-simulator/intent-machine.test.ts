import { describe, expect, test } from 'vitest'
import { cancel, confirm, settle } from './intent-machine.ts'
import type { IntentStatus, PaymentIntent, PaymentMethod } from './stripe-objects.ts'
import { findTestMethod } from './test-methods.ts'

const now = 1_800_000_000

const method: PaymentMethod = {
  id: 'pm_1',
  object: 'payment_method',
  created: now,
  livemode: false,
  customer: null,
  metadata: {},
  type: 'card',
}

function intentIn(status: IntentStatus): PaymentIntent {
  return {
    id: 'pi_1',
    object: 'payment_intent',
    created: now,
    livemode: false,
    amount: 1_099,
    amount_capturable: 0,
    amount_received: 0,
    currency: 'eur',
    customer: null,
    payment_method: 'pm_1',
    payment_method_types: ['card'],
    status,
    latest_charge: null,
    last_payment_error: null,
    next_action: null,
    capture_method: 'automatic_async',
    confirmation_method: 'automatic',
    client_secret: 'pi_1_secret',
    canceled_at: null,
    cancellation_reason: null,
    description: null,
    metadata: {},
  }
}

function confirmWith(testId: string, offSession: boolean, intent = intentIn('requires_confirmation')) {
  const test = findTestMethod(testId)
  if (test === undefined) throw new Error(`no test method ${testId}`)
  return confirm(intent, { method, behaviour: test.behaviour, offSession, now })
}

function settleWith(testId: string, outcome: 'succeeded' | 'failed' | 'auto', offSession = false) {
  const { intent, charge } = confirmWith(testId, offSession)
  const behaviour = findTestMethod(testId)?.behaviour ?? { kind: 'succeed' as const }
  return settle(intent, { method, behaviour, outcome, pending: charge, now })
}

describe('confirm', () => {
  test('captures a good card in one step', () => {
    const { intent, charge, announce, declined } = confirmWith('pm_card_visa', true)
    expect(intent).toMatchObject({ status: 'succeeded', amount_received: 1_099, latest_charge: charge?.id })
    expect(charge).toMatchObject({ captured: true, amount_captured: 1_099, payment_intent: 'pi_1' })
    expect(announce).toEqual(['charge.succeeded', 'payment_intent.succeeded'])
    expect(declined).toBeUndefined()
  })

  test('a decline leaves no captured charge and wants another payment method', () => {
    const { intent, charge, declined } = confirmWith('pm_card_chargeDeclinedInsufficientFunds', true)
    expect(intent).toMatchObject({
      status: 'requires_payment_method',
      payment_method: null,
      amount_received: 0,
    })
    expect(charge).toMatchObject({ captured: false, status: 'failed' })
    expect(declined).toMatchObject({
      type: 'card_error',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      payment_intent: { status: 'requires_payment_method' },
    })
  })

  test('a card that wants its holder: an action on-session, a decline off-session', () => {
    expect(confirmWith('pm_card_authenticationRequired', false).intent.status).toBe('requires_action')
    const offSession = confirmWith('pm_card_authenticationRequired', true)
    expect(offSession.intent.status).toBe('requires_payment_method')
    expect(offSession.declined?.code).toBe('authentication_required')
    expect(confirmWith('pm_card_authenticationRequiredSetupForOffSession', true).intent.status).toBe(
      'succeeded',
    )
  })

  test.each<IntentStatus>(['succeeded', 'processing', 'requires_action', 'canceled'])(
    'never starts from %s, so that nothing is captured twice',
    (status) => {
      expect(() => confirmWith('pm_card_visa', true, intentIn(status))).toThrow(/status of/)
    },
  )
})

describe('settle', () => {
  test('the holder authenticates, or does not', () => {
    expect(settleWith('pm_card_authenticationRequired', 'succeeded').intent.status).toBe('succeeded')
    const failed = settleWith('pm_card_authenticationRequired', 'failed')
    expect(failed.declined?.code).toBe('payment_intent_authentication_failure')
  })

  test('a bank debit ends with the charge that it began with', () => {
    const { charge } = confirmWith('pm_usBankAccount_success', true)
    expect(charge).toMatchObject({ status: 'pending', captured: false })
    const ended = settleWith('pm_usBankAccount_success', 'auto')
    expect(ended.charge).toMatchObject({ captured: true, status: 'succeeded' })
    expect(settleWith('pm_usBankAccount_insufficientFunds', 'auto').intent.status).toBe(
      'requires_payment_method',
    )
  })
})

test('cancel works until money moves', () => {
  expect(cancel(intentIn('requires_action'), 'abandoned', now).intent).toMatchObject({
    status: 'canceled',
    canceled_at: now,
    cancellation_reason: 'abandoned',
  })
  expect(() => cancel(intentIn('succeeded'), null, now)).toThrow(/status of succeeded/)
  expect(() => cancel(intentIn('processing'), null, now)).toThrow(/status of processing/)
})
