import { randomUUID } from 'node:crypto'
import { ping } from '@tidemark/infra/kafka/client.ts'
import { createBatcher } from '@tidemark/infra/kafka/group-commit.ts'
import { createProducer } from '@tidemark/infra/kafka/producer.ts'
import { readRecordAt } from '@tidemark/infra/kafka/record-reader.ts'
import { deleteTopics, fetchEndOffsets, provisionTopics, topicExists } from '@tidemark/infra/kafka/topics.ts'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type KafkaRoom, openKafkaRoom, topicSpec } from './kafka-room.ts'

let room: KafkaRoom

beforeAll(async () => {
  room = await openKafkaRoom(inject('stackEnvironment').KAFKA_BROKERS ?? '')
})

afterAll(() => room.close())

test('topics are made once, by two at a time as well, and another partition count is refused by name', async () => {
  const name = `kafka-test-${randomUUID()}`
  const spec = topicSpec(name, 3)
  await Promise.all([provisionTopics(room.kafka, [spec]), provisionTopics(room.kafka, [spec])])
  await provisionTopics(room.kafka, [spec])
  expect(await topicExists(room.kafka, name)).toBe(true)
  await expect(provisionTopics(room.kafka, [{ ...spec, partitions: 4 }])).rejects.toThrow(
    new RegExp(`topic ${name} exists with a partition count of 3, expected 4`),
  )
  expect((await ping(room.kafka)).brokers).toBeGreaterThan(0)
  await deleteTopics(room.kafka, [name, name])
  expect(await topicExists(room.kafka, name)).toBe(false)
})

test('a send to a topic that does not exist is refused and makes no topic', async () => {
  const name = `kafka-test-${randomUUID()}`
  const hasty = createProducer(room.kafka, { sendTimeoutMs: 1_000 })
  const message = { partition: 0, key: null, value: Buffer.from('x') }
  await expect(hasty.send(name, [message])).rejects.toMatchObject({ code: 'topic_unknown', retryable: true })
  await hasty.disconnect()
  expect(await topicExists(room.kafka, name)).toBe(false)
})

test('a record beyond the limit of the broker is refused for good', async () => {
  const topic = await room.freshTopic()
  const message = { partition: 0, key: null, value: Buffer.alloc(2_000_000) }
  await expect(room.producer.send(topic, [message])).rejects.toMatchObject({
    code: 'record_too_large',
    retryable: false,
  })
})

test('one record is read back without a group; null where the log does not hold it', async () => {
  const topic = await room.freshTopic()
  await room.fill(topic, 50)
  const before = Date.now()
  const record = await readRecordAt(room.kafka, topic, 0, 17n)
  expect(Date.now() - before).toBeLessThan(1_000)
  expect(record).toMatchObject({ offset: 17n, key: Buffer.from('17'), value: Buffer.from('v17') })
  expect(Math.abs((record?.timestampMs ?? 0) - Date.now())).toBeLessThan(60_000)
  expect(await readRecordAt(room.kafka, topic, 0, 50n)).toBe(null)
  expect(await readRecordAt(room.kafka, topic, 0, 900n)).toBe(null)
})

test('group commit: many small requests at a time all arrive, cut to the limits of the broker', async () => {
  const topic = await room.freshTopic(2)
  const batcher = createBatcher({ send: (messages) => room.producer.send(topic, messages) })
  const large = { partition: 1, key: null, value: Buffer.alloc(600_000) }
  const small = (at: number) => ({ partition: 0, key: `${at}`, value: Buffer.from(`v${at}`) })
  const published = Array.from({ length: 2_000 }, (_, at) => batcher.publish([small(at)]))
  await Promise.all([...published, batcher.publish([large, large, large])])
  await batcher.close()
  expect(await fetchEndOffsets(room.kafka, topic)).toEqual(
    new Map([
      [0, 2_000n],
      [1, 3n],
    ]),
  )
})
