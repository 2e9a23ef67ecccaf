import { expect, test } from 'vitest'
import { type ChargeOutcome, decisiveOutcome } from './outcome.ts'

const outcome = (status: ChargeOutcome['status']): ChargeOutcome => ({
  status,
  intentId: `pi_${status}`,
  capturedMinor: 0n,
  currency: 'EUR',
})

test('of several intents the one nearest to the money counts', () => {
  expect(decisiveOutcome([outcome('failed'), outcome('succeeded'), outcome('canceled')])?.status).toBe(
    'succeeded',
  )
  expect(decisiveOutcome([outcome('canceled'), outcome('processing'), outcome('failed')])?.status).toBe(
    'processing',
  )
  expect(decisiveOutcome([])).toBeUndefined()
})
