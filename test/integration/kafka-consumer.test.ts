import type { PartitionConsumerOptions } from '@tidemark/infra/kafka/consumer.ts'
import { createConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import {
  deleteRecordsBefore,
  deleteTopics,
  fetchEarliestOffsets,
  provisionTopics,
} from '@tidemark/infra/kafka/topics.ts'
import { afterAll, afterEach, beforeAll, expect, inject, test, vi } from 'vitest'
import { createLedgerConsumer, type KafkaRoom, openKafkaRoom, range, soon, topicSpec } from './kafka-room.ts'

let room: KafkaRoom
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  room = await openKafkaRoom(inject('stackEnvironment').KAFKA_BROKERS ?? '')
})

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

afterAll(() => room.close())

function ledgerConsumer(topic: string, options: Partial<PartitionConsumerOptions> = {}) {
  const made = createLedgerConsumer(room.kafka, topic, options)
  stops.push(() => made.consumer.stop())
  return made
}

test('consuming begins where the ledger says, not where the group has committed', async () => {
  const topic = await room.freshTopic()
  await room.fill(topic, 20)
  const first = ledgerConsumer(topic)
  await first.consumer.start()
  await vi.waitFor(() => expect(first.offsets()).toEqual(range(0, 20)), soon)
  await first.consumer.stop()
  // The group stands at 20 now; the ledger of the next process ends at 7.
  const next = ledgerConsumer(topic, { openPartition: async () => ({ nextOffset: 7n }) })
  await next.consumer.start()
  await vi.waitFor(() => expect(next.offsets()).toEqual(range(7, 20)), soon)
  await room.fill(topic, 5, 0, 20)
  await vi.waitFor(() => expect(next.offsets()).toEqual(range(7, 25)), soon)
  expect(next.fatal).toEqual([])
})

test('records removed before they were handled stop the process instead of being skipped', async () => {
  const topic = await room.freshTopic()
  await room.fill(topic, 20)
  await deleteRecordsBefore(room.kafka, topic, 0, 12n)
  expect(await fetchEarliestOffsets(room.kafka, topic)).toEqual(new Map([[0, 12n]]))
  const late = ledgerConsumer(topic, { openPartition: async () => ({ nextOffset: 5n }) })
  await late.consumer.start()
  await vi.waitFor(() => expect(late.fatal).toHaveLength(1), soon)
  expect(late.fatal[0]).toMatchObject({ code: 'offset_gap', retryable: false })
  expect(late.fatal[0]).toHaveProperty(
    'message',
    expect.stringContaining(`${topic}/0: expected offset 5 but found 12`),
  )
  expect(late.offsets()).toEqual([])
})

test('records removed while consuming stop it as well', async () => {
  const topic = await room.freshTopic()
  await room.fill(topic, 10)
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const handled: bigint[] = []
  const slow = ledgerConsumer(topic, {
    handleBatch: async (_partition, records) => {
      handled.push(...records.map(({ offset }) => offset))
      await held
    },
  })
  await slow.consumer.start()
  await vi.waitFor(() => expect(handled).toEqual(range(0, 10)), soon)
  await room.fill(topic, 10, 0, 10)
  await deleteRecordsBefore(room.kafka, topic, 0, 15n)
  release()
  await vi.waitFor(() => expect(slow.fatal).toHaveLength(1), soon)
  expect(slow.fatal[0]).toMatchObject({ code: 'offset_gap' })
  expect(handled).toEqual(range(0, 10))
})

test('a log that ends before the place where the ledger goes on is another log', async () => {
  const topic = await room.freshTopic()
  await room.fill(topic, 10)
  const ahead = ledgerConsumer(topic, { openPartition: async () => ({ nextOffset: 11n }) })
  await ahead.consumer.start()
  await vi.waitFor(() => expect(ahead.fatal).toHaveLength(1), soon)
  expect(ahead.fatal[0]).toMatchObject({ code: 'log_rewound', retryable: false })
  expect(ahead.offsets()).toEqual([])
})

test('a topic made anew underneath a running consumer stops it', async () => {
  const topic = await room.freshTopic()
  await room.fill(topic, 10)
  const victim = ledgerConsumer(topic, { stallTimeoutMs: 2_000 })
  await victim.consumer.start()
  await vi.waitFor(() => expect(victim.offsets()).toEqual(range(0, 10)), soon)
  await deleteTopics(room.kafka, [topic])
  await vi.waitFor(() => provisionTopics(room.kafka, [topicSpec(topic)]), soon)
  await vi.waitFor(() => expect(victim.fatal).toHaveLength(1), { timeout: 60_000, interval: 50 })
  expect(victim.fatal[0]).toMatchObject({ code: 'log_rewound' })
})

test('a handler that fails is told once, and its batch comes again to the next process', async () => {
  const topic = await room.freshTopic()
  await room.fill(topic, 3)
  const wrong = new Error('insert refused')
  const failing = ledgerConsumer(topic, { handleBatch: () => Promise.reject(wrong) })
  await failing.consumer.start()
  await vi.waitFor(() => expect(failing.fatal).toEqual([wrong]), soon)
  await failing.consumer.stop()
  const next = ledgerConsumer(topic)
  await next.consumer.start()
  await vi.waitFor(() => expect(next.offsets()).toEqual(range(0, 3)), soon)
  expect(failing.fatal).toEqual([wrong])
})

test('opening and handling may each take longer than the session: the partition is kept', async () => {
  const topic = await room.freshTopic()
  await room.fill(topic, 3)
  const longerThanSession = async (): Promise<void> => {
    const from = performance.now()
    await vi.waitFor(() => expect(performance.now() - from).toBeGreaterThan(7_500), soon)
  }
  let opened = 0
  let stillAssigned: boolean | undefined
  const slow = ledgerConsumer(topic, {
    sessionTimeoutMs: 6_000,
    openPartition: async () => {
      opened += 1
      await longerThanSession()
      return { nextOffset: 0n }
    },
    handleBatch: async (_partition, _records, context) => {
      await longerThanSession()
      stillAssigned = context.isStillAssigned()
    },
  })
  await slow.consumer.start()
  await vi.waitFor(() => expect(slow.consumer.positions()).toEqual(new Map([[0, 3n]])), { timeout: 40_000 })
  expect({ opened, stillAssigned }).toEqual({ opened: 1, stillAssigned: true })
})

test('lag that does not move is fatal, unless the handler says that it waits on purpose', async () => {
  const [hung, waiting] = [await room.freshTopic(), await room.freshTopic(2)]
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  await room.fill(hung, 3)
  await room.fill(waiting, 3)
  let waits = false
  const victim = ledgerConsumer(hung, { stallTimeoutMs: 1_000, handleBatch: () => held })
  const patient = ledgerConsumer(waiting, {
    stallTimeoutMs: 1_000,
    handleBatch: async (_partition, _records, context) => {
      waits = true
      const telling = setInterval(context.reportProgress, 100)
      await held
      clearInterval(telling)
    },
  })
  await patient.consumer.start()
  await vi.waitFor(() => expect(waits).toBe(true), soon)
  // Nothing of the other partition is fetched now: it waits along, and that is no stall either.
  await room.fill(waiting, 3, 1)
  await victim.consumer.start()
  await vi.waitFor(() => expect(victim.fatal).toHaveLength(1), soon)
  expect(victim.fatal[0]).toMatchObject({
    code: 'consumer_stalled',
    message: expect.stringContaining('3 records wait'),
  })
  expect(patient.fatal).toEqual([])
  release()
})

test('a second member takes over some partitions, each closed before, and nothing is lost or skipped', async () => {
  const topic = await room.freshTopic(4)
  const seen = new Map<number, bigint[]>()
  const shared: Partial<PartitionConsumerOptions> = {
    groupId: `${topic}-shared`,
    openPartition: async (partition) => ({ nextOffset: (seen.get(partition)?.at(-1) ?? -1n) + 1n }),
    handleBatch: async (partition, records) => {
      seen.set(partition, [...(seen.get(partition) ?? []), ...records.map(({ offset }) => offset)])
    },
  }
  for (let partition = 0; partition < 4; partition += 1) await room.fill(topic, 100, partition)
  const one = ledgerConsumer(topic, shared)
  await one.consumer.start()
  await vi.waitFor(() => expect(one.consumer.positions().size).toBe(4), soon)
  const two = ledgerConsumer(topic, shared)
  await two.consumer.start()
  await vi.waitFor(() => {
    expect(one.consumer.positions().size).toBe(2)
    expect(two.consumer.positions().size).toBe(2)
  }, soon)
  expect(one.events.filter((event) => event.startsWith('close'))).toHaveLength(4)
  for (let partition = 0; partition < 4; partition += 1) await room.fill(topic, 100, partition, 100)
  await one.consumer.stop()
  for (let partition = 0; partition < 4; partition += 1) await room.fill(topic, 100, partition, 200)
  await vi.waitFor(() => {
    for (let partition = 0; partition < 4; partition += 1) expect(seen.get(partition)).toEqual(range(0, 300))
  }, soon)
  expect([...one.fatal, ...two.fatal]).toEqual([])
})

test('at-least-once consumption follows a changing list of topics and goes on after its commit', async () => {
  const [a, b] = [await room.freshTopic(), await room.freshTopic()]
  const seen: string[] = []
  const fatal: unknown[] = []
  const options = {
    groupId: `${a}-relay`,
    maxWaitTimeMs: 50,
    handleBatch: async (topic: string, _partition: number, records: { offset: bigint }[]) => {
      seen.push(...records.map(({ offset }) => `${topic === a ? 'a' : 'b'}${offset}`))
    },
    onFatal: (error: unknown) => fatal.push(error),
  }
  const relay = createConsumer(room.kafka, { ...options, topics: [] })
  stops.push(() => relay.stop())
  await relay.start()
  await room.fill(a, 2)
  await relay.resubscribe([a])
  await vi.waitFor(() => expect(seen).toEqual(['a0', 'a1']), soon)
  await room.fill(b, 2)
  await relay.resubscribe([a, b])
  await vi.waitFor(() => expect(seen).toEqual(['a0', 'a1', 'b0', 'b1']), soon)
  await relay.stop()
  await room.fill(a, 1, 0, 2)
  const again = createConsumer(room.kafka, { ...options, topics: [a, b] })
  stops.push(() => again.stop())
  await again.start()
  await vi.waitFor(() => expect(seen).toEqual(['a0', 'a1', 'b0', 'b1', 'a2']), soon)
  expect(fatal).toEqual([])
})
