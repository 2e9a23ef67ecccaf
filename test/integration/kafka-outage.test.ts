import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBatcher } from '@tidemark/infra/kafka/group-commit.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { recordFile } from '@tidemark/infra/stack/places.ts'
import { freePorts, type StackPorts } from '@tidemark/infra/stack/ports.ts'
import { killAndWait, readRecord } from '@tidemark/infra/stack/process-record.ts'
import { type Stack, startStack } from '@tidemark/infra/stack/start-stack.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { pauseProcess } from '../pause-process.ts'
import { createLedgerConsumer, type KafkaRoom, openKafkaRoom, range, soon } from './kafka-room.ts'

// A broker of this file's own: what happens to it must not happen to the other tests.
let dir: string
let ports: StackPorts
let stack: Stack
let room: KafkaRoom

const startBroker = async (): Promise<void> => {
  const { KAFKA_BROKERS: _shared, ...env } = process.env
  stack = await startStack({ dir, ports, servers: ['kafka'], env })
}

async function brokerProcess() {
  const record = await readRecord(recordFile(dir, 'kafka'))
  if (record === undefined) throw new Error(`no broker runs in ${dir}`)
  return record
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tidemark-outage-'))
  ports = await freePorts()
  await startBroker()
  room = await openKafkaRoom(stack.environment.KAFKA_BROKERS ?? '')
})

afterAll(async () => {
  await room?.close()
  await stack?.stop()
  await rm(dir, { recursive: true, force: true })
})

const message = (at: number) => ({ partition: 0, key: `${at}`, value: Buffer.from(`v${at}`) })

test('while the broker is killed nothing is acknowledged; after its return both ends go on by themselves', async () => {
  const topic = await room.freshTopic()
  const batcher = createBatcher({ send: (messages) => room.producer.send(topic, messages) })
  const { consumer, offsets, fatal } = createLedgerConsumer(room.kafka, topic, { sessionTimeoutMs: 6_000 })
  await consumer.start()
  await Promise.all(Array.from({ length: 50 }, (_, at) => batcher.publish([message(at)])))
  await vi.waitFor(() => expect(offsets()).toEqual(range(0, 50)), soon)

  await killAndWait(await brokerProcess())
  const refusedFrom = performance.now()
  await expect(batcher.publish([message(50)])).rejects.toMatchObject({
    code: 'kafka_unavailable',
    retryable: true,
  })
  expect(performance.now() - refusedFrom).toBeLessThan(6_000)
  await stack.stop()
  await startBroker()

  const returned = performance.now()
  await vi.waitFor(() => batcher.publish([message(51)]), { timeout: 5_000, interval: 50 })
  const producing = performance.now() - returned
  expect(producing).toBeLessThan(5_000)
  const end = Number((await fetchEndOffsets(room.kafka, topic)).get(0))
  await vi.waitFor(() => expect(offsets()).toEqual(range(0, end)), soon)
  expect(fatal).toEqual([])
  await consumer.stop()
  await batcher.close()
})

test('a broker that hangs without closing its connections is refused in time and used again when it goes on', async () => {
  const topic = await room.freshTopic()
  await room.producer.send(topic, [message(0)])
  const { pid } = await brokerProcess()
  await pauseProcess(pid)
  try {
    const from = performance.now()
    await expect(room.producer.send(topic, [message(1)])).rejects.toMatchObject({ code: 'kafka_unavailable' })
    expect(performance.now() - from).toBeLessThan(6_000)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await vi.waitFor(() => room.producer.send(topic, [message(2)]), { timeout: 5_000, interval: 50 })
})
