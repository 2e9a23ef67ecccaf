import { expect, test } from 'vitest'
import { createFaults, readFault } from './faults.ts'

const request = { account: 'a', method: 'POST', path: '/v1/payment_intents', replay: false }

test('a fault fits its method, path and account, as often as it says', () => {
  const faults = createFaults()
  faults.add(
    readFault(
      { fault: 'reset_after', times: 2, match: { method: 'POST', path: '/v1/payment_intents/*/confirm' } },
      'a',
    ),
  )
  const confirm = { ...request, path: '/v1/payment_intents/pi_1/confirm' }
  expect(faults.takeForRequest(request)).toBeUndefined()
  expect(faults.takeForRequest({ ...confirm, account: 'b' })).toBeUndefined()
  expect(faults.takeForRequest(confirm)?.fault).toBe('reset_after')
  expect(faults.takeForRequest(confirm)?.fault).toBe('reset_after')
  expect(faults.takeForRequest(confirm)).toBeUndefined()
})

test('a 500 after execution waits for an execution, a webhook fault for a webhook', () => {
  const faults = createFaults()
  faults.add(readFault({ fault: 'error_500_after' }, null))
  faults.add(readFault({ fault: 'webhook_lost', match: { event: 'charge.succeeded' } }, null))
  expect(faults.takeForRequest({ ...request, replay: true })).toBeUndefined()
  expect(faults.takeForRequest(request)?.fault).toBe('error_500_after')
  expect(faults.takeForWebhook({ account: 'a', type: 'payment_intent.created' })).toBeUndefined()
  expect(faults.takeForWebhook({ account: 'a', type: 'charge.succeeded' })?.fault).toBe('webhook_lost')
})

test.each([
  [{ fault: 'explode' }, /must be one of reset_before/],
  [{}, /fault is undefined/],
  [{ fault: 'slow', times: 0 }, /times is 0; it must be a whole number from 1/],
  [{ fault: 'slow', match: { url: '/x' } }, /match\.url is not usable with slow: send method and path/],
])('refuses %j with the reason', (body, message) => {
  expect(() => readFault(body, null)).toThrow(message)
})
