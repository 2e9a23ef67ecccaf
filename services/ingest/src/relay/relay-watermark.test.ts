import { expect, test } from 'vitest'
import { createRelayProgress } from './relay-watermark.ts'

const offsets = (entries: Record<number, bigint>) =>
  new Map([['inbound', new Map(Object.entries(entries).map(([key, offset]) => [Number(key), offset]))]])

test('an instant counts once everything that lay there at that instant is relayed', () => {
  const progress = createRelayProgress()
  progress.observe(100, offsets({ 0: 5n, 1: 0n }))
  const place = { topic: 'inbound', completeUntil: 100 }
  expect(progress.advance(offsets({ 0: 4n }), 110)).toEqual([
    { ...place, partition: 1, nextOffset: 0n, relayedBefore: 110 },
  ])
  expect(progress.advance(offsets({ 0: 7n }), 120)).toEqual([
    { ...place, partition: 0, nextOffset: 7n, relayedBefore: 120 },
  ])
})

test('while a partition lags its instant waits, and no later end takes its place', () => {
  const progress = createRelayProgress()
  progress.observe(100, offsets({ 0: 5n }))
  progress.observe(200, offsets({ 0: 50n }))
  expect(progress.advance(offsets({ 0: 5n }), 210)).toMatchObject([{ completeUntil: 100 }])
  expect(progress.advance(offsets({ 0: 50n }), 220)).toEqual([])
  progress.observe(300, offsets({ 0: 50n }))
  expect(progress.advance(offsets({ 0: 50n }), 310)).toMatchObject([
    { completeUntil: 300, relayedBefore: 310 },
  ])
})
