import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { signatureHeader } from './webhook-signature.ts'

test('the official client accepts the signature, and only over the same bytes', () => {
  const body = '{"id":"evt_1","note":"ä"}'
  const header = signatureHeader(body, 'whsec_a', Math.floor(Date.now() / 1_000))
  expect(Stripe.webhooks.constructEvent(body, header, 'whsec_a').id).toBe('evt_1')
  expect(() => Stripe.webhooks.constructEvent(`${body} `, header, 'whsec_a')).toThrow()
  expect(() => Stripe.webhooks.constructEvent(body, header, 'whsec_b')).toThrow()
})
