import { inboundTopic, usagePartitions } from '@tidemark/schemas/topics.ts'
import { expect, test } from 'vitest'
import { completenessOf, eventsTopic, type Watermark } from './completeness.ts'

const events = (completeUntil: number, except: Partial<Record<number, number>> = {}): Watermark[] =>
  Array.from({ length: usagePartitions }, (_, partition) => ({
    topic: eventsTopic,
    log: 1,
    partition,
    nextOffset: BigInt(10 * partition),
    completeUntil: except[partition] ?? completeUntil,
    relayedBefore: 0,
  }))
const relay = (completeUntil: number, relayedBefore: number, partitions = [0, 1, 2, 3]): Watermark[] =>
  partitions.map((partition) => ({
    topic: inboundTopic('acme'),
    log: 1,
    partition,
    nextOffset: 0n,
    completeUntil,
    relayedBefore,
  }))

test('the slowest partition decides, and is named', () => {
  const found = completenessOf('acme', events(1000, { 3: 700 }), relay(900, 600))
  expect(found.completeUntil).toBe(700)
  expect(found.behind).toContain('partition 3')
  expect(found.cut[3]).toEqual({ log: 1, partition: 3, offset: 30n })
})

test('a partition or relay without a row means not yet', () => {
  const missing = events(1000).filter(({ partition }) => partition !== 5)
  expect(completenessOf('acme', missing, relay(900, 600))).toMatchObject({
    completeUntil: -Infinity,
    behind: expect.stringContaining('partition 5 has no watermark'),
  })
  expect(completenessOf('acme', events(1000), relay(900, 600, [0, 1, 3]))).toMatchObject({
    completeUntil: -Infinity,
    behind: expect.stringContaining('the relay of usage.inbound.acme partition 2 has no watermark'),
  })
})

test('a relay counts once every partition has reached what it relayed', () => {
  expect(completenessOf('acme', events(1000, { 6: 800 }), relay(700, 801)).completeUntil).toBe(-Infinity)
  expect(completenessOf('acme', events(1000, { 6: 800 }), relay(700, 800)).completeUntil).toBe(700)
})

test('an earlier row of a steady relay counts while its newest is ahead', () => {
  const sightings = [...relay(500, 790), ...relay(700, 900)]
  expect(completenessOf('acme', events(800), sightings).completeUntil).toBe(500)
})
