import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { UsageMessage } from '../events/usage-record.ts'
import { createAcknowledgedQueue } from './acknowledged-queue.ts'

const message = (name: string, payloadHash: Buffer | undefined = Buffer.alloc(16, name)): UsageMessage => ({
  partition: 0,
  key: Buffer.alloc(20, name),
  value: Buffer.alloc(0),
  payloadHash,
})
const many = (count: number): UsageMessage[] => Array.from({ length: count }, () => message('a'))

/** A queue whose writes the test settles. */
function openQueue() {
  const writes: { entries: Buffer; settle(error?: Error): void }[] = []
  const counts = { remembered: 0, forgotten: 0 }
  const queue = createAcknowledgedQueue({
    write: (entries) =>
      new Promise((resolve, reject) => {
        writes.push({ entries, settle: (error) => (error ? reject(error) : resolve()) })
      }),
    onRemembered: (events) => {
      counts.remembered += events
    },
    onForgotten: (events) => {
      counts.forgotten += events
    },
  })
  return { queue, writes, counts }
}

const sizes = (writes: readonly { entries: Buffer }[]): number[] =>
  writes.map(({ entries }) => entries.length / 36)

test('what is acknowledged together is written together, and corrections are not', async () => {
  const { queue, writes, counts } = openQueue()
  queue.add([message('a'), { ...message('b'), payloadHash: undefined }])
  queue.add([message('c')])
  await turn()
  expect(writes[0]?.entries.toString()).toBe('a'.repeat(36) + 'c'.repeat(36))
  writes[0]?.settle()
  await queue.flush()
  expect(counts).toEqual({ remembered: 2, forgotten: 0 })
})

test('having had nothing to write does not end it', async () => {
  const { queue, writes } = openQueue()
  queue.add([{ ...message('a'), payloadHash: undefined }])
  await turn()
  await queue.flush()
  queue.add([message('b')])
  await turn()
  expect(sizes(writes)).toEqual([1])
})

test('what does not fill a write waits for the one under way; full ones do not', async () => {
  const { queue, writes, counts } = openQueue()
  queue.add(many(1))
  await turn()
  queue.add(many(1_200))
  await turn()
  expect(sizes(writes)).toEqual([1, 500, 500])
  for (const { settle } of writes) settle()
  await turn()
  expect(sizes(writes)).toEqual([1, 500, 500, 200])
  writes.at(-1)?.settle()
  await queue.flush()
  expect(counts).toEqual({ remembered: 1_201, forgotten: 0 })
})

test('beyond the bound, and where Redis does not take them, ids are forgotten and counted', async () => {
  const { queue, writes, counts } = openQueue()
  queue.add(many(8_000))
  await turn()
  queue.add(many(51_000))
  await turn()
  expect(sizes(writes)).toEqual(Array.from({ length: 16 }, () => 500))
  expect(counts.forgotten).toBe(1_000)
  queue.clear()
  expect(counts.forgotten).toBe(51_000)
  for (const { settle } of writes) settle(new Error('gone'))
  await queue.flush()
  expect(counts).toEqual({ remembered: 0, forgotten: 59_000 })
})
