import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { ChargeOutcome } from '@tidemark/infra/stripe/outcome.ts'
import { type ChargeRequest, createStripeProcessor } from '@tidemark/infra/stripe/processor.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type SimulatorProcess, startSimulator } from './stripe-simulator-process.ts'

/**
 * Whatever happens between us and the processor, one attempt captures at most once, and in the end exactly once:
 * a repetition is preceded by the question what became of the attempt.
 */
const timeoutMs = 250

let simulator: SimulatorProcess
let secretKey = ''

beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.stop())
beforeEach(() => {
  secretKey = `sk_test_${randomUUID().replaceAll('-', '')}`
})

const processor = () =>
  createStripeProcessor({ secretKey, apiUrl: simulator.url(), webhookSecret: 'whsec_x', timeoutMs })

const script = (fault: string, more: object = {}) =>
  simulator.control('POST', 'faults', { fault, ...more }, secretKey)
const onCharge = { match: { method: 'POST', path: '/v1/payment_intents' } }

async function prepare(testMethod = 'pm_card_visa'): Promise<ChargeRequest> {
  const { createCustomer, attachPaymentMethod } = processor()
  const { processorCustomerId } = await createCustomer({ customerId: randomUUID(), name: 'Ada' })
  const { paymentMethodId } = await attachPaymentMethod({ processorCustomerId, paymentMethodId: testMethod })
  return {
    attemptId: randomUUID(),
    customerId: processorCustomerId,
    paymentMethodId,
    amountMinor: 1_099n,
    currency: 'EUR',
    metadata: { invoice: 'INV-1' },
  }
}

/** Before an attempt is repeated the processor is asked; `codes` collects the Failures on the way. */
async function collect(
  request: ChargeRequest,
  { codes = [], resumed = false }: { codes?: string[]; resumed?: boolean } = {},
): Promise<ChargeOutcome> {
  const createdAfter = Date.now()
  const deadline = Date.now() + 20_000
  let isRepetition = resumed
  while (Date.now() < deadline) {
    try {
      const { attemptId, customerId } = request
      const known = isRepetition
        ? await processor().findByAttempt({ attemptId, customerId, createdAfter })
        : undefined
      return known ?? (await processor().chargeOffSession(request))
    } catch (error) {
      const failure = asFailure(error)
      if (!failure.retryable) throw failure
      codes.push(failure.code)
      isRepetition = true
      await delay(20)
    }
  }
  throw new Error(`the outcome stayed unknown: ${codes.join(', ')}`)
}

async function expectOneCapture(outcome: ChargeOutcome): Promise<void> {
  expect(outcome).toMatchObject({ status: 'succeeded', capturedMinor: 1_099n, currency: 'EUR' })
  expect(await simulator.control('GET', 'state', undefined, secretKey)).toMatchObject({
    paymentIntents: { count: 1, byStatus: { succeeded: 1 } },
    charges: { captured: 1, capturedByIntent: { [outcome.intentId]: 1 }, capturedMinor: { eur: '1099' } },
  })
}

describe('exactly one captured payment', () => {
  test.each([
    ['reset_before', 'processor_outcome_unknown'],
    ['reset_after', 'processor_outcome_unknown'],
    ['error_500_after', 'processor_outcome_unknown'],
    ['rate_limit', 'processor_rate_limited'],
    ['slow', 'processor_outcome_unknown'],
    ['slow_after', 'processor_outcome_unknown'],
  ])('after %s', async (fault, code) => {
    const request = await prepare()
    await script(fault, { ...onCharge, delayMs: 3 * timeoutMs })
    const codes: string[] = []
    await expectOneCapture(await collect(request, { codes }))
    expect(codes[0]).toBe(code)
  })

  test('after several faults in a row, on the charge and on the question', async () => {
    const request = await prepare()
    for (const fault of ['reset_before', 'rate_limit', 'reset_after']) await script(fault, onCharge)
    await script('error_500_after', { match: { method: 'GET' }, times: 2 })
    await script('reset_before', { match: { method: 'GET' }, times: 2 })
    await expectOneCapture(await collect(request))
  })

  test('when several processes collect the same attempt at once', async () => {
    const request = await prepare()
    await script('slow', { ...onCharge, delayMs: timeoutMs / 2 })
    const outcomes = await Promise.all([collect(request), collect(request), collect(request)])
    expect(new Set(outcomes.map(({ intentId }) => intentId)).size).toBe(1)
    for (const outcome of outcomes) await expectOneCapture(outcome)
  })

  test('when the processor is killed after it has executed', async () => {
    const request = await prepare()
    await script('slow_after', { ...onCharge, delayMs: 60_000 })
    await expect(processor().chargeOffSession(request)).rejects.toMatchObject({
      code: 'processor_outcome_unknown',
      retryable: true,
    })
    await simulator.restart()
    await expectOneCapture(await collect(request, { resumed: true }))
  })

  test('when the question comes only after the key is forgotten', async () => {
    const request = await prepare()
    const createdAfter = Date.now()
    await script('reset_after', onCharge)
    await expect(processor().chargeOffSession(request)).rejects.toMatchObject({
      code: 'processor_outcome_unknown',
    })
    await simulator.control('POST', 'clock', { advanceSeconds: 25 * 3_600 })
    const found = await processor().findByAttempt({ ...request, createdAfter })
    if (found === undefined) throw new Error('the attempt was not found')
    await expectOneCapture(found)
  })
})

describe('outcomes', () => {
  test.each([
    ['pm_card_chargeCustomerFail', 'failed', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'failed', 'insufficient_funds'],
    ['pm_card_authenticationRequired', 'requires_action', 'authentication_required'],
    ['pm_usBankAccount_success', 'processing', undefined],
  ])('%s is %s, told at once and when asked later', async (testMethod, status, declineCode) => {
    const request = await prepare(testMethod)
    const outcome = await processor().chargeOffSession(request)
    expect(outcome).toMatchObject({ status, capturedMinor: 0n })
    expect(outcome.declineCode).toBe(declineCode)
    const asked = await processor().findByAttempt({ ...request, createdAfter: Date.now() })
    expect(asked).toEqual(outcome)
  })

  test('an attempt that was never made is not found', async () => {
    const { customerId } = await prepare()
    const asked = await processor().findByAttempt({ attemptId: 'none', customerId, createdAfter: Date.now() })
    expect(asked).toBeUndefined()
  })

  test('what cannot succeed is not to be repeated', async () => {
    const request = await prepare()
    const charge = (change: Partial<ChargeRequest>) => processor().chargeOffSession({ ...request, ...change })
    const refusal = (code: string) => ({ code, retryable: false })
    await expect(charge({ amountMinor: 1n })).rejects.toMatchObject(refusal('processor_amount_too_small'))
    await expect(charge({ amountMinor: 0n })).rejects.toMatchObject(refusal('processor_amount_too_small'))
    await expect(charge({ amountMinor: 10n ** 17n })).rejects.toMatchObject(
      refusal('processor_amount_too_large'),
    )
    await expect(charge({ customerId: 'cus_none' })).rejects.toMatchObject(
      refusal('processor_resource_missing'),
    )
    await charge({ attemptId: 'same' })
    await expect(charge({ attemptId: 'same', amountMinor: 2_000n })).rejects.toMatchObject(
      refusal('processor_attempt_mismatch'),
    )
  })

  test('a processor that does not answer at all leaves the outcome unknown', async () => {
    const nobody = createStripeProcessor({
      secretKey,
      apiUrl: 'http://127.0.0.1:1',
      webhookSecret: 'whsec_x',
      timeoutMs,
    })
    const asked = nobody.findByAttempt({ attemptId: 'a', customerId: 'c', createdAfter: 0 })
    await expect(asked).rejects.toMatchObject({ code: 'processor_outcome_unknown', retryable: true })
  })
})
