import Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { verifyWebhook } from './webhook.ts'

const secret = 'whsec_test'
const now = 1_800_000_000_000
const signedAt = now / 1_000
const body = JSON.stringify({
  id: 'evt_1',
  object: 'event',
  type: 'payment_intent.succeeded',
  created: signedAt - 1,
  data: {
    object: {
      id: 'pi_1',
      object: 'payment_intent',
      status: 'succeeded',
      amount_received: 1_099,
      currency: 'eur',
      customer: 'cus_1',
      latest_charge: 'ch_1',
      last_payment_error: null,
      metadata: { tidemark_attempt: 'attempt-1' },
    },
  },
})

function header(timestamp: number, key = secret): string {
  return Stripe.webhooks.generateTestHeaderString({ payload: body, secret: key, timestamp })
}

const refusal = (code: string) => expect.objectContaining({ name: 'Failure', code, retryable: false })
const invalid = refusal('webhook_signature_invalid')
const outsideTolerance = refusal('webhook_timestamp_outside_tolerance')

describe('verifyWebhook', () => {
  test.each([
    'null',
    '[]',
    '{}',
    '{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":null}}',
    '{"id":5,"type":"x","created":1,"data":{"object":{}}}',
    '{"id":"evt_1","type":"x\\u0000","created":1,"data":{"object":{}}}',
    body.replace('1099', '"all"'),
    body.replace('"currency"', '"coin"'),
  ])('refuses what is signed but no event: %s', (payload) => {
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: signedAt })
    expect(() => verifyWebhook(payload, signature, secret, now)).toThrow(refusal('webhook_unreadable'))
  })

  test('gives the event in our words', () => {
    expect(verifyWebhook(Buffer.from(body), header(signedAt), secret, now)).toEqual({
      id: 'evt_1',
      type: 'payment_intent.succeeded',
      createdAt: now - 1_000,
      payment: {
        attemptId: 'attempt-1',
        customerId: 'cus_1',
        outcome: {
          status: 'succeeded',
          intentId: 'pi_1',
          chargeId: 'ch_1',
          capturedMinor: 1_099n,
          currency: 'EUR',
        },
      },
    })
  })

  test.each([-300, 0, 300])('accepts a signature that is %i s away', (offset) => {
    expect(verifyWebhook(body, header(signedAt + offset), secret, now).id).toBe('evt_1')
  })

  test.each([-301, 301, -86_400, 86_400])('refuses a signature that is %i s away', (offset) => {
    expect(() => verifyWebhook(body, header(signedAt + offset), secret, now)).toThrow(outsideTolerance)
  })

  test('accepts several v1 signatures, as long as one fits', () => {
    const rolled = `${header(signedAt, 'whsec_old')},${header(signedAt).split(',')[1]}`
    expect(verifyWebhook(body, rolled, secret, now).id).toBe('evt_1')
  })

  test.each<[string, string | undefined]>([
    ['another secret', header(signedAt, 'whsec_other')],
    ['no header', undefined],
    ['an empty header', ''],
    ['no timestamp', header(signedAt).split(',')[1]],
    ['only a v0 signature', header(signedAt).replace('v1=', 'v0=')],
    ['a timestamp other than the signed one', header(signedAt).replace(/^t=\d+/, `t=${signedAt + 1}`)],
    ['two timestamps', `t=${signedAt + 86_400},${header(signedAt)}`],
  ])('refuses %s', (_name, value) => {
    expect(() => verifyWebhook(body, value, secret, now)).toThrow(invalid)
  })

  test('refuses a changed body', () => {
    expect(() => verifyWebhook(body.replace('1099', '9901'), header(signedAt), secret, now)).toThrow(invalid)
  })
})
