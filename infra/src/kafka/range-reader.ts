import type { Cluster } from 'kafkajs'
import { Failure } from '../process/failure.ts'
import type { KafkaClient } from './client.ts'
import { withDeadline } from './deadline.ts'
import { asKafkaFailure, kafkaErrorType } from './kafka-failure.ts'
import { offsetGap } from './offset-check.ts'
import { type KafkaRecord, toRecord } from './record.ts'
import { fetchFrom, openCluster } from './record-reader.ts'

/** A stretch of a partition: from `from` (inclusive) to `to` (exclusive). */
export type RecordRange = {
  readonly topic: string
  readonly partition: number
  readonly from: bigint
  readonly to: bigint
}

const maxBytes = 4 * 1_048_576
const fetchTimeoutMs = 10_000

/**
 * Every record of the range, in the order of offsets, a fetch at a time. No group is made and nothing is committed; for
 * topics without transactions. Rejects with `kafka_unavailable` where a fetch fails, `offset_gap` where records of the
 * range are not there, or retention overtakes the reading.
 */
export async function* readRange(kafka: KafkaClient, range: RecordRange): AsyncGenerator<KafkaRecord[]> {
  const cluster = openCluster(kafka)
  try {
    await cluster.connect()
    for (let next = range.from; next < range.to; ) {
      const records = await fetchRecords(cluster, range, next)
      const [first] = records
      const last = records.at(-1)
      if (first === undefined || last === undefined) throw nothingAt(range, next)
      if (first.offset !== next) throw offsetGap(range, next, first.offset)
      next = last.offset + 1n
      yield records
    }
  } catch (error) {
    if (kafkaErrorType(error) === 'OFFSET_OUT_OF_RANGE') throw nothingAt(range, range.from)
    throw asKafkaFailure(error, `reading ${range.topic}/${range.partition}`)
  } finally {
    cluster.disconnect().catch(() => {})
  }
}

async function fetchRecords(
  cluster: Cluster,
  { topic, partition, to }: RecordRange,
  offset: bigint,
): Promise<KafkaRecord[]> {
  const fetching = fetchFrom(cluster, { topic, partition, offset, maxBytes })
  const late = () => new Error(`no answer within ${fetchTimeoutMs} ms`)
  const messages = await withDeadline(fetching, fetchTimeoutMs, late)
  return messages
    .map((message) => toRecord(message, BigInt(message.offset)))
    .filter((record) => record.offset >= offset && record.offset < to)
}

const nothingAt = ({ topic, partition, to }: RecordRange, offset: bigint): Failure =>
  new Failure(
    `${topic}/${partition} gives no records at ${offset}, below ${to}: retention has removed them, or they are not ` +
      'written yet',
    { code: 'offset_gap', retryable: false },
  )
