import { type RecordSchema, registerRecordSchema } from '@tidemark/infra/installation/record-schemas.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { fetchOffsetRanges } from '@tidemark/infra/kafka/topics.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { retry } from '@tidemark/infra/process/retry.ts'
import { createSchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { type UsageLog, usageEventsTopicOf } from '@tidemark/schemas/topics.ts'

/** Servers that start together with this process get some seconds. */
const patience = { attempts: 6, minDelayMs: 250, maxDelayMs: 4_000 }

/** The id under which the registry keeps a schema, once that is known to be this very schema. */
export function fetchSchemaId(registryUrl: string, prefix: string, record: RecordSchema): Promise<number> {
  const registry = createSchemaRegistry({ url: registryUrl })
  return retry(() => registerRecordSchema(registry, prefix, record), patience)
}

/** Which partition an event goes to follows from their count: with another one this would be another log. */
export async function checkUsageTopic(kafka: KafkaClient, prefix: string, usageLog: UsageLog): Promise<void> {
  const topic = prefix + usageEventsTopicOf(usageLog.log)
  const partitions = (await retry(() => fetchOffsetRanges(kafka, topic), patience)).size
  if (partitions === usageLog.partitions) return
  throw new Failure(
    `${topic} has ${partitions} partitions and not ${usageLog.partitions}: events would lie where nobody looks for their ` +
      'copies. Another partition count is another log, with a number of its own',
    { code: 'topic_mismatch', retryable: false },
  )
}
