import { inboundTopic, inboundTopicSpec } from '@tidemark/schemas/topics.ts'
import { expect, test } from 'vitest'
import { createCompleteness } from './completeness.ts'

/** Two partitions of usage.events, and an inbound topic each of whose partitions is relayed up to (T, U). */
function watermarks(completeUntil: number, relay?: { until: number; before: number }, tenant = 'acme') {
  const partition = { log: 1, offset: 5n, completeUntil }
  const inbound = Array.from({ length: relay ? inboundTopicSpec(tenant).partitions : 0 }, (_, index) => ({
    topic: inboundTopic(tenant),
    partition: index,
    completeUntil: relay?.until ?? 0,
    relayedBefore: relay?.before ?? 0,
  }))
  return {
    cut: [],
    partitions: [
      { ...partition, partition: 0 },
      { ...partition, partition: 1, completeUntil: completeUntil + 3 },
    ],
    relays: inbound,
  }
}

test('the slowest partition decides', () => {
  const completeness = createCompleteness()
  const state = watermarks(10, { until: 11, before: 10 })
  expect(completeness.completeUntil(state, 'acme')).toBe(10)
  expect(completeness.missing(state, 'acme', 11)).toEqual([
    { topic: 'usage.events', partition: 0, completeUntil: 10 },
  ])
})

test('a relay counts once every partition has come as far as it says, even if it goes on meanwhile', () => {
  const completeness = createCompleteness()
  expect(completeness.completeUntil(watermarks(10, { until: 8, before: 11 }), 'acme')).toBe(0)
  expect(completeness.completeUntil(watermarks(12, { until: 10, before: 13 }), 'acme')).toBe(8)
  expect(completeness.missing(watermarks(14, { until: 12, before: 15 }), 'acme', 11)[0]).toEqual({
    topic: 'usage.inbound',
    partition: 0,
    completeUntil: 10,
  })
})

test('a tenant whose inbound topic nobody has reported on is not complete', () => {
  const completeness = createCompleteness()
  const state = watermarks(10, { until: 10, before: 10 }, 'other')
  expect(completeness.completeUntil(state, 'acme')).toBe(0)
  expect(completeness.missing(state, 'acme', 5)).toHaveLength(inboundTopicSpec('acme').partitions)
})
