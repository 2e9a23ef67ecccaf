import { randomUUID } from 'node:crypto'
import { createStripeProcessor } from '@tidemark/infra/stripe/processor.ts'
import type Stripe from 'stripe'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  type SimulatorProcess,
  startReceiver,
  startSimulator,
  type WebhookReceiver,
} from './stripe-simulator-process.ts'

const secret = 'whsec_of_this_test'

let simulator: SimulatorProcess
let receiver: WebhookReceiver
let secretKey = ''
let stripe: Stripe

beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  secretKey = `sk_test_${randomUUID().replaceAll('-', '')}`
  stripe = simulator.client(secretKey)
  await simulator.control('POST', 'webhook_endpoints', { url: receiver.url, secret }, secretKey)
})
afterEach(async () => {
  await simulator.control('DELETE', 'webhook_endpoints', {}, secretKey)
  await receiver.close()
})

const pay = () =>
  stripe.paymentIntents.create({
    amount: 1_099,
    currency: 'eur',
    payment_method: 'pm_card_visa',
    confirm: true,
    metadata: { tidemark_attempt: 'attempt-1' },
  })

const paid = ['charge.succeeded', 'payment_intent.created', 'payment_intent.succeeded']
const typesReceived = () => receiver.received.map(({ type }) => type)
const script = (fault: string, event: string, more: object = {}) =>
  simulator.control('POST', 'faults', { fault, match: { event }, ...more }, secretKey)

async function untilReceived(count: number): Promise<void> {
  await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count)
}

test('signed events arrive, and can be listed', async () => {
  const intent = await pay()
  await untilReceived(3)
  expect(typesReceived().toSorted()).toEqual(paid)

  const processor = createStripeProcessor({
    secretKey,
    apiUrl: simulator.url(),
    webhookSecret: secret,
    timeoutMs: 5_000,
  })
  const received = receiver.received.find(({ type }) => type === 'payment_intent.succeeded')
  const event = processor.verifyWebhook(received?.body ?? '', received?.signature, Date.now())
  expect(event.payment).toMatchObject({
    attemptId: 'attempt-1',
    outcome: { status: 'succeeded', intentId: intent.id, capturedMinor: 1_099n },
  })

  const listed = await stripe.events.list({ type: 'payment_intent.succeeded' })
  expect(listed.data.map(({ id }) => id)).toEqual([event.id])
  expect((await stripe.events.retrieve(event.id)).data.object).toMatchObject({ id: intent.id })
})

test('declines, actions and cancellations are announced', async () => {
  const base = { amount: 1_099, currency: 'eur' }
  await stripe.paymentIntents
    .create({ ...base, confirm: true, payment_method: 'pm_card_chargeDeclined' })
    .catch(() => {})
  const waiting = await stripe.paymentIntents.create({
    ...base,
    confirm: true,
    payment_method: 'pm_card_authenticationRequired',
  })
  await stripe.paymentIntents.cancel(waiting.id)
  await untilReceived(6)
  expect(typesReceived()).toEqual(
    expect.arrayContaining([
      'payment_intent.payment_failed',
      'payment_intent.requires_action',
      'payment_intent.canceled',
    ]),
  )
})

test('sends again until 2xx, and after a kill -9', async () => {
  receiver.answers.push(500, 404, 302)
  await pay()
  await untilReceived(6)
  const accepted = new Set(receiver.received.map(({ id }) => id))
  expect(accepted.size).toBe(3)

  receiver.answers.push(...Array.from({ length: 1_000 }, () => 500))
  await pay()
  await untilReceived(12)
  await simulator.restart()
  receiver.answers.length = 0
  await expect
    .poll(() => simulator.control('GET', 'state', undefined, secretKey), { timeout: 10_000 })
    .toMatchObject({ deliveries: { pending: 0 } })
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(6)
})

test('duplicated: the same event arrives twice', async () => {
  await script('webhook_duplicated', 'payment_intent.succeeded')
  await pay()
  await untilReceived(4)
  const succeeded = receiver.received.filter(({ type }) => type === 'payment_intent.succeeded')
  expect(succeeded).toHaveLength(2)
  expect(new Set(succeeded.map(({ id }) => id)).size).toBe(1)
})

test('reordered: a later event overtakes', async () => {
  await script('webhook_reordered', 'payment_intent.created', { delayMs: 60_000 })
  await pay()
  await untilReceived(3)
  expect(typesReceived().indexOf('payment_intent.created')).toBeGreaterThan(0)
})

test('lost: never arrives, but is among the events', async () => {
  await script('webhook_lost', 'payment_intent.succeeded')
  await pay()
  await expect
    .poll(() => simulator.control('GET', 'state', undefined, secretKey))
    .toMatchObject({ deliveries: { pending: 0 }, events: 3 })
  expect(typesReceived()).not.toContain('payment_intent.succeeded')
  expect((await stripe.events.list({ type: 'payment_intent.succeeded' })).data).toHaveLength(1)
})
