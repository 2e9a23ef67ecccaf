import rejectedEventSchema from '@tidemark/schemas/avro/rejected-event.avsc.json' with { type: 'json' }
import usageEventSchema from '@tidemark/schemas/avro/usage-event.avsc.json' with { type: 'json' }
import { parseAvroSchema } from '@tidemark/schemas/avro-schema.ts'
import { currentLog, usageEventsTopicOf, usageRejectedTopic } from '@tidemark/schemas/topics.ts'
import { Failure } from '../process/failure.ts'
import type { AvroSchemaJson, SchemaRegistry } from '../schema-registry/client.ts'

export type RecordSchema = { topic: string; schema: AvroSchemaJson }

/** The topics whose values are Avro, with today's schema of each. */
export const usageEventRecordOf = (log: number): RecordSchema => ({
  topic: usageEventsTopicOf(log),
  schema: usageEventSchema,
})
export const usageEventRecord: RecordSchema = usageEventRecordOf(currentLog)
export const rejectedEventRecord: RecordSchema = { topic: usageRejectedTopic, schema: rejectedEventSchema }
export const recordSchemas: readonly RecordSchema[] = [usageEventRecord, rejectedEventRecord]

/**
 * Registers a topic's schema under BACKWARD compatibility and gives back its id, once what the registry keeps under that
 * id is known to be this schema: a registry that lost its storage hands ids out again, and records written under such an
 * id would be read as something else. Rejects with `schema_id_mismatch`, or as the registry client does.
 */
export async function registerRecordSchema(
  registry: SchemaRegistry,
  prefix: string,
  { topic, schema }: RecordSchema,
): Promise<number> {
  const subject = `${prefix}${topic}-value`
  const id = await registry.registerSchema(subject, schema)
  await registry.setCompatibility(subject, 'BACKWARD')
  const kept = await registry.fetchSchema(id)
  if (fingerprint(kept) === fingerprint(schema)) return id
  throw new Failure(
    `The schema registry keeps another schema than that of ${subject} under id ${id}: it has lost its storage, or this ` +
      'is another registry. Records under this id would be misread; restore the registry before anything is sent.',
    { code: 'schema_id_mismatch', retryable: false },
  )
}

const fingerprint = (schema: AvroSchemaJson): string => parseAvroSchema(schema).fingerprint().toString('hex')
