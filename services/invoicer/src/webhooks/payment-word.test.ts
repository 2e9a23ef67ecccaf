import type { ProcessorEvent } from '@tidemark/infra/stripe/webhook.ts'
import { expect, test } from 'vitest'
import { keptWord, readKeptWord } from './payment-word.ts'

const attemptId = '0d8f7a50-6f5c-4c39-9d1e-0a4b7c1f2e3d'

function eventOf(change: Partial<ProcessorEvent> = {}): ProcessorEvent {
  return {
    id: 'evt_1',
    type: 'payment_intent.succeeded',
    createdAt: 0,
    payment: {
      outcome: {
        status: 'succeeded',
        intentId: 'pi_1',
        capturedMinor: 9_007_199_254_740_993n,
        currency: 'JPY',
      },
      attemptId,
      customerId: 'cus_1',
    },
    ...change,
  }
}

test('what is kept reads back exactly', () => {
  const kept: unknown = JSON.parse(JSON.stringify(keptWord(eventOf())))
  expect(readKeptWord(kept)).toEqual({
    attemptId,
    word: { status: 'succeeded', intentId: 'pi_1', capturedMinor: 9_007_199_254_740_993n, currency: 'JPY' },
  })
})

test.each([
  ['an event that tells no outcome', eventOf({ type: 'payment_intent.created' })],
  ['an event about something else', { id: 'evt_1', type: 'charge.succeeded', createdAt: 0 }],
])('%s says nothing', (_name, event) => {
  expect(keptWord(event)).toEqual({})
  expect(readKeptWord({})).toBeUndefined()
})

test('an attempt of somebody else’s numbering is none of ours', () => {
  expect(readKeptWord({ ...keptWord(eventOf()), attemptId: 'order-7' })).toBeUndefined()
})
