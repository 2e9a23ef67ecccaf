import { expect, test } from 'vitest'
import { createCompleteness } from './completeness.ts'

/** Two partitions of usage.events, and one of an inbound topic relayed up to (T, U). */
function watermarks(completeUntil: number, relay?: { until: number; before: number }, tenant = 'acme') {
  const partition = { log: 1, offset: 5n, completeUntil }
  return {
    cut: [],
    partitions: [
      { ...partition, partition: 0 },
      { ...partition, partition: 1, completeUntil: completeUntil + 3 },
    ],
    relays: relay
      ? [
          {
            topic: `usage.inbound.${tenant}`,
            partition: 2,
            completeUntil: relay.until,
            relayedBefore: relay.before,
          },
        ]
      : [],
  }
}

test('without a relay the slowest partition decides', () => {
  const completeness = createCompleteness()
  expect(completeness.completeUntil(watermarks(10), 'acme')).toBe(10)
  expect(completeness.missing(watermarks(10), 'acme', 12)).toEqual([
    { topic: 'usage.events', partition: 0, completeUntil: 10 },
  ])
})

test('a relay counts once every partition has come as far as it says, even if it goes on meanwhile', () => {
  const completeness = createCompleteness()
  expect(completeness.completeUntil(watermarks(10, { until: 8, before: 11 }), 'acme')).toBe(0)
  expect(completeness.completeUntil(watermarks(12, { until: 10, before: 13 }), 'acme')).toBe(8)
  expect(completeness.missing(watermarks(14, { until: 12, before: 15 }), 'acme', 11)).toEqual([
    { topic: 'usage.inbound', partition: 2, completeUntil: 10 },
  ])
})

test('another tenant’s relay is none of ours', () => {
  const completeness = createCompleteness()
  expect(completeness.completeUntil(watermarks(10, { until: 1, before: 99 }, 'other'), 'acme')).toBe(10)
})
