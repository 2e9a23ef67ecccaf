import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { readRange } from '@tidemark/infra/kafka/range-reader.ts'
import type { KafkaRecord } from '@tidemark/infra/kafka/record.ts'
import {
  fetchOffsetRanges,
  type OffsetRange as KeptOffsets,
  topicExists,
} from '@tidemark/infra/kafka/topics.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import type { SchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { createAvroDecoder } from '@tidemark/infra/schema-registry/decoder.ts'
import { parseAvroSchema } from '@tidemark/schemas/avro-schema.ts'
import { usageEventsTopicOf } from '@tidemark/schemas/topics.ts'
import { createConsumingMetrics } from '../consuming-metrics.ts'
import type { DecodedRecord } from '../deduplication/decide.ts'
import { packedEventReader } from '../packed-event.ts'
import { createRecordReader, type RecordReader } from '../record-reader.ts'

export type LogSources = {
  readonly kafka: KafkaClient
  readonly registry: SchemaRegistry
  readonly log: Log
  readonly prefix: string
}

/** One log in Kafka, as far as retention has left it. */
export type LogSource = {
  readonly topic: string
  /** By partition; empty where the topic is gone. */
  readonly kept: ReadonlyMap<number, KeptOffsets>
  readonly reader: RecordReader
  /** Records from `from` (inclusive) to `to` (exclusive), a fetch at a time. */
  records(partition: number, from: bigint, to: bigint): AsyncGenerator<KafkaRecord[]>
  /** The same, decoded. */
  read(partition: number, from: bigint, to: bigint): AsyncGenerator<DecodedRecord[]>
}

/** An unknown schema, or a registry that is away, makes reading wait, as it makes the aggregator wait. */
export async function openLogSource(sources: LogSources, logNumber: number): Promise<LogSource> {
  const { kafka, registry, log, prefix } = sources
  const topic = `${prefix}${usageEventsTopicOf(logNumber)}`
  const kept = (await topicExists(kafka, topic)) ? await fetchOffsetRanges(kafka, topic) : new Map()
  const reader = createRecordReader({
    decoder: createAvroDecoder({ registry, readerSchema: packedEventReader, parseSchema: parseAvroSchema }),
    partitions: Math.max(1, kept.size),
    logger: log,
    metrics: createConsumingMetrics(createMetrics('ledger')),
    signal: new AbortController().signal,
  })
  const records: LogSource['records'] = (partition, from, to) =>
    readRange(kafka, { topic, partition, from, to })
  return {
    topic,
    kept,
    reader,
    records,
    async *read(partition, from, to) {
      for await (const batch of records(partition, from, to))
        yield await reader.readAll(batch, partition, () => {})
    },
  }
}
