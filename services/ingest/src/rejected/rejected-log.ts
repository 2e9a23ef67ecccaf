import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { type PlacedRecord, readTopic } from '@tidemark/infra/kafka/topic-reader.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { AvroDecoder } from '@tidemark/infra/schema-registry/decoder.ts'
import { usageRejectedTopic } from '@tidemark/schemas/topics.ts'
import type { RejectedEvent } from '@tidemark/schemas/usage-event.ts'
import type { Marks } from './marks.ts'
import {
  type MarkedRejection,
  matches,
  originKey,
  type Rejection,
  type RejectionFilter,
} from './rejection.ts'

export type RejectedLog = {
  kafka: KafkaClient
  decoder: Pick<AvroDecoder<RejectedEvent>, 'decode'>
  marks: Marks
  prefix: string
}

/** So many are decided, published and marked at a time. */
const chunkRecords = 500

/**
 * What the filter picks from usage.rejected, each refused record once, in chunks that are never empty. Nothing is kept
 * but the keys of what was handed out.
 */
export async function* readRejections(
  log: RejectedLog,
  filter: RejectionFilter,
): AsyncGenerator<MarkedRejection[]> {
  const seen = new Set<string>()
  let left = filter.limit ?? Number.POSITIVE_INFINITY
  for await (const records of readTopic(log.kafka, log.prefix + usageRejectedTopic))
    for (let from = 0; from < records.length && left > 0; from += chunkRecords) {
      const wanted: Rejection[] = []
      for (const record of records.slice(from, from + chunkRecords)) {
        const rejection = await decode(log, record)
        if (!matches(rejection, filter) || seen.has(originKey(rejection))) continue
        seen.add(originKey(rejection))
        wanted.push(rejection)
      }
      const marks = await log.marks.fetch(wanted)
      const chosen = wanted
        .map((rejection) => ({ ...rejection, mark: marks.get(originKey(rejection)) }))
        .filter(({ mark }) => filter.state === 'all' || filter.state === (mark?.action ?? 'open'))
        .slice(0, left)
      left -= chosen.length
      if (chosen.length > 0) yield chosen
      if (left <= 0) return
    }
}

async function decode({ decoder, prefix }: RejectedLog, record: PlacedRecord): Promise<Rejection> {
  const place = `${usageRejectedTopic}/${record.partition}/${record.offset}`
  const decoded = await decoder.decode(record.value)
  if (decoded.kind === 'malformed')
    throw new Failure(
      `${place} is no RejectedEvent: ${decoded.reason}. Only ingest and aggregator may write here`,
      {
        code: 'rejected_undecodable',
        retryable: false,
      },
    )
  const event = decoded.value
  const topic = event.originTopic.startsWith(prefix)
    ? event.originTopic.slice(prefix.length)
    : event.originTopic
  const origin = `${topic}/${event.originPartition}/${event.originOffset}`
  return { origin, place, event, headers: record.headers }
}
