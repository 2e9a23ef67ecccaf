import type { KafkaClient } from './client.ts'
import { readRange } from './range-reader.ts'
import type { KafkaRecord } from './record.ts'
import { fetchOffsetRanges } from './topics.ts'

export type PlacedRecord = KafkaRecord & { readonly partition: number }

/**
 * All records that lie on a topic at the call, partition by partition in the order of offsets, a fetch at a time. Rejects
 * as readRange does; where retention overtook the reading, start again.
 */
export async function* readTopic(kafka: KafkaClient, topic: string): AsyncGenerator<PlacedRecord[]> {
  const ranges = await fetchOffsetRanges(kafka, topic)
  for (const [partition, { earliest, end }] of ranges)
    for await (const records of readRange(kafka, { topic, partition, from: earliest, to: end }))
      yield records.map((record) => ({ ...record, partition }))
}
