import { expect, test } from 'vitest'
import { Failure } from '../process/failure.ts'
import { type BatcherOptions, createBatcher } from './group-commit.ts'
import { messageBytes, type OutboundMessage } from './record.ts'

const message = (partition: number, size = 10): OutboundMessage => ({
  partition,
  key: null,
  value: Buffer.alloc(size),
})
const many = (count: number, partition = 0, size = 10) =>
  Array.from({ length: count }, () => message(partition, size))
const unavailable = () => new Failure('away', { code: 'kafka_unavailable', retryable: true })
const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

/** A broker whose answers the test gives by hand. */
function heldBroker(options: Omit<BatcherOptions, 'send'> = {}) {
  const sends: { messages: readonly OutboundMessage[]; acknowledge(): void; refuse(error: unknown): void }[] =
    []
  const batcher = createBatcher({
    ...options,
    send: (messages) =>
      new Promise((acknowledge, refuse) => {
        sends.push({ messages, acknowledge, refuse })
      }),
  })
  const settled: string[] = []
  const publish = (name: string, messages: OutboundMessage[]): void => {
    batcher.publish(messages).then(
      () => settled.push(`${name} ok`),
      (error) => settled.push(`${name} ${error instanceof Failure ? error.code : error}`),
    )
  }
  return { batcher, sends, settled, publish }
}

test('requests that come while all places are taken go together in the next send', async () => {
  const { sends, settled, publish } = heldBroker({ maxInFlight: 1 })
  publish('a', many(1))
  await turn()
  publish('b', many(2))
  publish('c', many(3))
  await turn()
  expect(sends.map((send) => send.messages.length)).toEqual([1])
  sends[0]?.acknowledge()
  await turn()
  expect(sends.map((send) => send.messages.length)).toEqual([1, 5])
  expect(settled).toEqual(['a ok'])
  sends[1]?.acknowledge()
  await turn()
  expect(settled).toEqual(['a ok', 'b ok', 'c ok'])
})

test('few messages wait for the send under way; enough for a full one do not', async () => {
  const { sends, settled, publish } = heldBroker({ maxInFlight: 2, fullSendMessages: 4 })
  publish('a', many(1))
  await turn()
  publish('b', many(3))
  await turn()
  expect(sends.map((send) => send.messages.length)).toEqual([1])
  publish('c', many(1))
  await turn()
  expect(sends.map((send) => send.messages.length)).toEqual([1, 4])
  publish('d', many(9))
  await turn()
  expect(sends).toHaveLength(2)
  sends[1]?.acknowledge()
  await turn()
  expect(sends.map((send) => send.messages.length)).toEqual([1, 4, 9])
  sends[0]?.acknowledge()
  sends[2]?.acknowledge()
  await turn()
  expect(settled).toEqual(['b ok', 'c ok', 'a ok', 'd ok'])
})

test('a request larger than a send is split and resolved only when every part is acknowledged', async () => {
  const { sends, settled, publish } = heldBroker({
    maxInFlight: 2,
    maxMessagesPerSend: 4,
    fullSendMessages: 1,
  })
  publish('large', many(10))
  await turn()
  expect(sends.map((send) => send.messages.length)).toEqual([4, 4])
  sends[1]?.acknowledge()
  await turn()
  expect(sends.map((send) => send.messages.length)).toEqual([4, 4, 2])
  sends[2]?.acknowledge()
  await turn()
  expect(settled).toEqual([])
  sends[0]?.acknowledge()
  await turn()
  expect(settled).toEqual(['large ok'])
})

test('a send is cut before any one partition exceeds its bytes', async () => {
  const size = messageBytes(message(0, 100))
  const { sends, publish } = heldBroker({
    maxInFlight: 9,
    maxBytesPerPartition: 3 * size,
    fullSendMessages: 1,
  })
  publish('one partition', many(7, 0, 100))
  await turn()
  expect(sends.map((send) => send.messages.length)).toEqual([3, 3, 1])
  publish('two partitions', [...many(3, 0, 100), ...many(3, 1, 100)])
  await turn()
  expect(sends.map((send) => send.messages.length)).toEqual([3, 3, 1, 6])
})

test('a record beyond the limit is refused by itself, before it spoils a send', async () => {
  const { batcher, sends } = heldBroker({ maxBytesPerPartition: 1_000 })
  await expect(batcher.publish([message(0, 10), message(0, 2_000)])).rejects.toMatchObject({
    code: 'record_too_large',
    retryable: false,
  })
  expect(sends).toEqual([])
  expect(batcher.queuedBytes()).toBe(0)
})

test('a failed part fails the whole request, drops the rest of it and gives all its bytes back', async () => {
  const { batcher, sends, settled, publish } = heldBroker({ maxInFlight: 1, maxMessagesPerSend: 2 })
  publish('split', many(6))
  publish('next', many(1))
  await turn()
  sends[0]?.refuse(new Failure('no', { code: 'kafka_refused', retryable: false }))
  await turn()
  expect(settled).toEqual(['split kafka_refused'])
  expect(sends.map((send) => send.messages.length)).toEqual([2, 1])
  sends[1]?.acknowledge()
  await turn()
  expect(settled).toEqual(['split kafka_refused', 'next ok'])
  expect(batcher.queuedBytes()).toBe(0)
})

test('what waits behind a send that Kafka did not answer is refused with it; the next one is tried', async () => {
  const { batcher, sends, settled, publish } = heldBroker({ maxInFlight: 1 })
  publish('first', many(1))
  await turn()
  publish('waiting', many(1))
  await turn()
  sends[0]?.refuse(unavailable())
  await turn()
  expect(settled).toEqual(['first kafka_unavailable', 'waiting kafka_unavailable'])
  expect(batcher.queuedBytes()).toBe(0)
  publish('later', many(1))
  await turn()
  sends[1]?.acknowledge()
  await turn()
  expect(settled.at(-1)).toBe('later ok')
})

test('a full queue refuses at once and accepts again when it has drained', async () => {
  const size = messageBytes(message(0))
  const { batcher, sends, settled, publish } = heldBroker({ maxQueuedBytes: 5 * size })
  publish('fits', many(5))
  publish('too much', many(1))
  await turn()
  expect(settled).toEqual(['too much overloaded'])
  sends[0]?.acknowledge()
  await turn()
  expect(batcher.queuedBytes()).toBe(0)
  publish('again', many(5))
  await turn()
  sends[1]?.acknowledge()
  await turn()
  expect(settled).toEqual(['too much overloaded', 'fits ok', 'again ok'])
})

test('close refuses what comes, and waits for what is under way', async () => {
  const { batcher, sends, settled, publish } = heldBroker({ maxInFlight: 1 })
  publish('a', many(1))
  publish('b', many(1))
  await turn()
  let closed = false
  const closing = batcher.close().then(() => {
    closed = true
  })
  await expect(batcher.publish(many(1))).rejects.toMatchObject({ code: 'closed', retryable: true })
  expect(closed).toBe(false)
  for (const send of sends) send.acknowledge()
  await closing
  expect(settled).toEqual(['a ok', 'b ok'])
})
