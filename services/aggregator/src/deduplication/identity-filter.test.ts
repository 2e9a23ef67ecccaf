import { identityKey } from '@tidemark/schemas/event-identity.ts'
import { expect, test } from 'vitest'
import { IdentityFilter } from './identity-filter.ts'

const identity = (serial: number) => identityKey(1, 'test', `${serial}`)

test.each([
  ['as many as expected', 40_000, 1],
  ['many more than expected', 0, 3],
])('what was added is held, and little else: %s', (_what, expected, layers) => {
  const filter = new IdentityFilter(expected)
  expect(filter.mayHold(identity(0))).toBe(false)
  for (let serial = 0; serial < 40_000; serial += 1) filter.add(identity(serial))
  let forgotten = 0
  let mistaken = 0
  for (let serial = 0; serial < 40_000; serial += 1) {
    if (!filter.mayHold(identity(serial))) forgotten += 1
    if (filter.mayHold(identity(-1 - serial))) mistaken += 1
  }
  expect(forgotten).toBe(0)
  expect(mistaken / 40_000).toBeLessThan(0.01 * layers + 0.01)
})

test('its memory follows what is expected, and twice as much comes with what is more', () => {
  const filter = new IdentityFilter(1_048_576)
  expect(filter.bytes()).toBe(0)
  filter.add(identity(1))
  expect(filter.bytes()).toBe(1_572_864)
  const small = new IdentityFilter(0)
  for (let serial = 0; serial <= 16_384; serial += 1) small.add(identity(serial))
  expect(small.bytes()).toBe(3 * 24_576)
})
