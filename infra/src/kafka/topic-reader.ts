import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import { withDeadline } from './deadline.ts'
import { asKafkaFailure, kafkaErrorType } from './kafka-failure.ts'
import { type KafkaRecord, toRecord } from './record.ts'
import { fetchFrom, openCluster } from './record-reader.ts'
import { fetchOffsetRanges } from './topics.ts'

export type PlacedRecord = KafkaRecord & { readonly partition: number }

const maxBytes = 4 * 1_048_576
const fetchTimeoutMs = 10_000

/**
 * All records that lie on a topic at the call, partition by partition in the order of offsets, a fetch at a time. No group
 * is made and nothing is committed. For topics without transactions. Rejects with `kafka_unavailable` where a fetch fails,
 * `offset_gap` where retention overtakes the reading.
 */
export async function* readTopic(kafka: KafkaClient, topic: string): AsyncGenerator<PlacedRecord[]> {
  const ranges = await fetchOffsetRanges(kafka, topic)
  const cluster = openCluster(kafka)
  try {
    await cluster.connect()
    for (const [partition, { earliest, end }] of ranges)
      for (let next = earliest; next < end; ) {
        const from = next
        const fetching = fetchFrom(cluster, { topic, partition, offset: from, maxBytes })
        const late = () => new Error(`no answer within ${fetchTimeoutMs} ms`)
        const messages = await withDeadline(fetching, fetchTimeoutMs, late)
        const records = messages
          .map((message) => toRecord(message, BigInt(message.offset)))
          .filter(({ offset }) => offset >= from && offset < end)
        const last = records[records.length - 1]
        if (last === undefined)
          throw new Failure(`${topic}/${partition} gives no records at ${from}, below its end ${end}`, {
            code: 'offset_gap',
            retryable: true,
          })
        next = last.offset + 1n
        yield records.map((record) => ({ ...record, partition }))
      }
  } catch (error) {
    if (kafkaErrorType(error) === 'OFFSET_OUT_OF_RANGE')
      throw new Failure(`retention removed records of ${topic} while they were read; start again`, {
        code: 'offset_gap',
        retryable: true,
        cause: error,
      })
    throw asKafkaFailure(error, `reading ${topic}`)
  } finally {
    cluster.disconnect().catch(() => {})
  }
}
