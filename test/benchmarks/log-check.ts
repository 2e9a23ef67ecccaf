import { createKafka } from '@tidemark/infra/kafka/client.ts'
import { createConsumer } from '@tidemark/infra/kafka/topic-consumer.ts'
import { fetchEndOffsets } from '@tidemark/infra/kafka/topics.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { usageEventsTopic } from '@tidemark/schemas/topics.ts'
import { usageEventType } from '@tidemark/schemas/usage-event.ts'

/** Serials acknowledged by run: all from 0 up to the number. */
export type Acknowledged = ReadonlyMap<string, number>

export type LogCheck = { records: number; missing: number }

const framingBytes = 5

/** Reads the whole log and looks for every acknowledged event by its id: counts alone would let one stand for another. */
export async function checkLog(env: Record<string, string>, acknowledged: Acknowledged): Promise<LogCheck> {
  const prefix = env.TIDEMARK_PREFIX ?? ''
  const topic = prefix + usageEventsTopic
  const log = createLog({ service: 'log-check', level: 'warn', pretty: true })
  const kafka = createKafka({ brokers: (env.KAFKA_BROKERS ?? '').split(','), clientId: 'bench-check', log })
  const expected = sum([...(await fetchEndOffsets(kafka, topic)).values()].map(Number))
  const seen = new Map([...acknowledged].map(([run, count]) => [run, new Uint8Array(count)]))
  const all = Promise.withResolvers<void>()
  let records = 0
  if (expected === 0) all.resolve()
  const consumer = createConsumer(kafka, {
    topics: [topic],
    groupId: `${prefix}bench-check`,
    minBytes: 1_048_576,
    async handleBatch(_topic, _partition, batch) {
      for (const { value } of batch) if (value !== null) mark(idOf(value), seen)
      records += batch.length
      if (records >= expected) all.resolve()
    },
    onFatal: all.reject,
  })
  await consumer.start()
  await all.promise
  await consumer.stop()
  await kafka.disconnect()
  const missing = [...seen.values()].map((marks) => marks.length - sum([...marks]))
  return { records, missing: sum(missing) }
}

const idOf = (value: Buffer): string => usageEventType.fromBuffer(value.subarray(framingBytes)).id

function mark(id: string, seen: ReadonlyMap<string, Uint8Array>): void {
  const dash = id.lastIndexOf('-')
  const marks = seen.get(id.slice(0, dash))
  if (marks !== undefined) marks[Number(id.slice(dash + 1))] = 1
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
