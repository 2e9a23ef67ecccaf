import { randomUUID } from 'node:crypto'
import type Stripe from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type SimulatorProcess, startSimulator } from './stripe-simulator-process.ts'

let simulator: SimulatorProcess
let secretKey = ''
let stripe: Stripe

beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.stop())
beforeEach(() => {
  secretKey = `sk_test_${randomUUID().replaceAll('-', '')}`
  stripe = simulator.client(secretKey)
})

const intent = { amount: 1_099, currency: 'eur', payment_method: 'pm_card_visa', confirm: true }

async function customerWith(testMethod: string) {
  const customer = await stripe.customers.create({ name: 'Ada', metadata: { n: '1' } })
  const method = await stripe.paymentMethods.attach(testMethod, { customer: customer.id })
  return { customer: customer.id, payment_method: method.id }
}

describe('customers and payment methods', () => {
  test('create, update, retrieve and list by pages', async () => {
    const created = await stripe.customers.create({ name: 'Ada', metadata: { a: '1', b: '2' } })
    await stripe.customers.update(created.id, { email: 'ada@example.com', metadata: { b: '' } })
    expect(await stripe.customers.retrieve(created.id)).toMatchObject({
      name: 'Ada',
      email: 'ada@example.com',
      metadata: { a: '1' },
    })
    for (let n = 0; n < 4; n += 1) await stripe.customers.create({ name: `c${n}` })
    const all = await stripe.customers.list({ limit: 2 }).autoPagingToArray({ limit: 100 })
    expect(all.map(({ name }) => name)).toEqual(['c3', 'c2', 'c1', 'c0', 'Ada'])
  })

  test('attaching a test method makes one with an id of its own', async () => {
    const { customer, payment_method } = await customerWith('pm_card_visa')
    expect(payment_method).toMatch(/^pm_\w{24}$/)
    const listed = await stripe.customers.listPaymentMethods(customer)
    expect(listed.data.map(({ id, card }) => [id, card?.last4])).toEqual([[payment_method, '4242']])
    await expect(stripe.paymentIntents.create({ ...intent, payment_method })).rejects.toMatchObject({
      message: expect.stringContaining('does not belong to the Customer'),
    })
  })
})

describe('payment intents', () => {
  test('confirmed later, in steps', async () => {
    const created = await stripe.paymentIntents.create({
      amount: 500,
      currency: 'jpy',
      metadata: { order: '7' },
    })
    expect(created).toMatchObject({ status: 'requires_payment_method', metadata: { order: '7' } })
    const confirmed = await stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa' })
    expect(confirmed).toMatchObject({ status: 'succeeded', amount_received: 500 })
    const charge = await stripe.charges.retrieve(String(confirmed.latest_charge))
    expect(charge).toMatchObject({ captured: true, payment_intent: created.id, currency: 'jpy' })
    await expect(stripe.paymentIntents.confirm(created.id)).rejects.toMatchObject({
      statusCode: 400,
      code: 'payment_intent_unexpected_state',
    })
  })

  test('a decline is 402 with the intent inside', async () => {
    const declined = stripe.paymentIntents.create({
      ...intent,
      payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds',
    })
    await expect(declined).rejects.toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      requestId: expect.stringMatching(/^req_/),
      payment_intent: { status: 'requires_payment_method', latest_charge: expect.stringMatching(/^ch_/) },
    })
  })

  test('a card that wants its holder: refused off-session, requires_action on-session', async () => {
    const payment_method = 'pm_card_authenticationRequired'
    const offSession = stripe.paymentIntents.create({ ...intent, payment_method, off_session: true })
    await expect(offSession).rejects.toMatchObject({
      statusCode: 402,
      code: 'authentication_required',
      payment_intent: { status: 'requires_payment_method' },
    })
    const onSession = await stripe.paymentIntents.create({ ...intent, payment_method })
    expect(onSession.status).toBe('requires_action')
    await simulator.control('POST', `payment_intents/${onSession.id}/settle`, undefined, secretKey)
    expect((await stripe.paymentIntents.retrieve(onSession.id)).status).toBe('succeeded')
  })

  test('a bank debit is processing until it settles', async () => {
    const debit = await stripe.paymentIntents.create({
      ...intent,
      payment_method: 'pm_usBankAccount_success',
    })
    expect(debit.status).toBe('processing')
    await expect(stripe.paymentIntents.cancel(debit.id)).rejects.toMatchObject({ statusCode: 400 })
    await simulator.control('POST', `payment_intents/${debit.id}/settle`, undefined, secretKey)
    expect((await stripe.paymentIntents.retrieve(debit.id)).status).toBe('succeeded')
  })

  test('cancels what has not been paid', async () => {
    const { id } = await stripe.paymentIntents.create({ amount: 1_099, currency: 'eur' })
    expect(await stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' })).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'abandoned',
    })
  })

  test('lists by customer and time, newest first', async () => {
    const mine = await customerWith('pm_card_visa')
    const first = await stripe.paymentIntents.create({ ...intent, ...mine })
    await simulator.control('POST', 'clock', { advanceSeconds: 10 })
    const second = await stripe.paymentIntents.create({ ...intent, ...mine })
    await stripe.paymentIntents.create(intent)
    const ids = async (created: Stripe.RangeQueryParam) =>
      (await stripe.paymentIntents.list({ customer: mine.customer, created })).data.map(({ id }) => id)
    expect(await ids({ gte: first.created })).toEqual([second.id, first.id])
    expect(await ids({ gt: first.created })).toEqual([second.id])
    expect(await ids({ lt: second.created })).toEqual([first.id])
  })
})

describe('bad input', () => {
  test.each([
    [{ currency: 'eur' }, 'amount', 'parameter_missing'],
    [{ amount: 10, currency: 'eur' }, 'amount', 'amount_too_small'],
    [{ amount: 1.5, currency: 'eur' }, 'amount', 'parameter_invalid_integer'],
    [{ amount: 1_000, currency: 'EURO' }, 'currency', undefined],
    [{ amount: 1_000, currency: 'eur', customer: 'cus_no' }, 'customer', 'resource_missing'],
    [{ amount: 1_000, currency: 'eur', tip: '1' }, 'tip', 'parameter_unknown'],
  ])('%j is refused by name', async (params, param, code) => {
    const refused = stripe.rawRequest('POST', '/v1/payment_intents', params)
    await expect(refused).rejects.toMatchObject({ statusCode: 400, param, code })
  })

  test('no key, a live key and a foreign object', async () => {
    expect((await fetch(`${simulator.url()}/v1/customers`)).status).toBe(401)
    await expect(simulator.client('sk_live_x').customers.list()).rejects.toMatchObject({ statusCode: 401 })
    const { id } = await stripe.customers.create({})
    const stranger = simulator.client('sk_test_stranger')
    await expect(stranger.customers.retrieve(id)).rejects.toMatchObject({ statusCode: 404 })
  })
})

describe('idempotency keys', () => {
  const once = (idempotencyKey: string, amount = 1_099) =>
    stripe.paymentIntents.create({ ...intent, amount }, { idempotencyKey })
  const captured = () => simulator.control('GET', 'state', undefined, secretKey)

  test('the same key and parameters give the same answer', async () => {
    const first = await once('a')
    const again = await once('a')
    expect(again.id).toBe(first.id)
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect(again.lastResponse.headers).toMatchObject({
      'idempotent-replayed': 'true',
      'original-request': first.lastResponse.requestId,
    })
    await expect(once('a', 2_000)).rejects.toMatchObject({ statusCode: 400, type: 'StripeIdempotencyError' })
    expect(await captured()).toMatchObject({ charges: { captured: 1 } })
  })

  test('declines and 500s are kept, validation failures and 429 are not', async () => {
    const declining = () =>
      stripe.paymentIntents.create(
        { ...intent, payment_method: 'pm_card_chargeDeclined' },
        { idempotencyKey: 'declined' },
      )
    const intents = new Set<unknown>()
    for (let n = 0; n < 2; n += 1) {
      await declining().catch((error) => intents.add(error.payment_intent.id))
    }
    expect(intents.size).toBe(1)

    await simulator.control('POST', 'faults', { fault: 'error_500_after' }, secretKey)
    await expect(once('b')).rejects.toMatchObject({ statusCode: 500 })
    await expect(once('b')).rejects.toMatchObject({
      statusCode: 500,
      headers: { 'idempotent-replayed': 'true' },
    })

    await expect(once('c', 1)).rejects.toMatchObject({ code: 'amount_too_small' })
    await simulator.control('POST', 'faults', { fault: 'rate_limit' }, secretKey)
    await expect(once('c')).rejects.toMatchObject({ statusCode: 429 })
    expect((await once('c')).status).toBe('succeeded')
    expect(await captured()).toMatchObject({ charges: { captured: 2 } })
  })

  test('a key in flight is a conflict', async () => {
    await simulator.control('POST', 'faults', { fault: 'slow', delayMs: 400 }, secretKey)
    const both = await Promise.allSettled([once('d'), once('d')])
    expect(
      both.map((one) => (one.status === 'fulfilled' ? one.value.status : one.reason.statusCode)),
    ).toEqual(expect.arrayContaining(['succeeded', 409]))
    expect(await captured()).toMatchObject({ charges: { captured: 1 } })
  })

  test('forgets after 24 hours of its clock', async () => {
    const first = await once('e')
    await simulator.control('POST', 'clock', { advanceSeconds: 24 * 3_600 - 60 })
    expect((await once('e')).id).toBe(first.id)
    await simulator.control('POST', 'clock', { advanceSeconds: 60 })
    expect((await once('e')).id).not.toBe(first.id)
  })
})

test('kill -9 and a restart keep objects, keys and the clock', async () => {
  const mine = await customerWith('pm_card_visa')
  const options = { idempotencyKey: 'kept' }
  const before = await stripe.paymentIntents.create({ ...intent, ...mine }, options)
  await simulator.control('POST', 'clock', { advanceSeconds: 3_600 })
  await simulator.restart()
  stripe = simulator.client(secretKey)
  expect((await stripe.paymentIntents.retrieve(before.id)).status).toBe('succeeded')
  expect((await stripe.paymentIntents.create({ ...intent, ...mine }, options)).id).toBe(before.id)
  const later = await stripe.paymentIntents.create({ ...intent, ...mine })
  expect(later.created).toBeGreaterThanOrEqual(before.created + 3_600)
  expect(await simulator.control('GET', 'state', undefined, secretKey)).toMatchObject({
    charges: { captured: 2, capturedMinor: { eur: '2198' } },
  })
})
