import { expect, test } from 'vitest'
import type { AvroSchemaJson, SchemaRegistry } from '../schema-registry/client.ts'
import { recordSchemas, registerRecordSchema, usageEventRecord } from './record-schemas.ts'

/** A registry that keeps what `kept` says under every id. */
function createRegistry(kept: AvroSchemaJson) {
  const calls: string[] = []
  const registry: SchemaRegistry = {
    async registerSchema(subject) {
      calls.push(`register ${subject}`)
      return 7
    },
    async setCompatibility(subject, compatibility) {
      calls.push(`${subject} ${compatibility}`)
    },
    fetchSchema: async () => kept,
    checkCompatibility: async () => true,
    ping: async () => {},
  }
  return { registry, calls }
}

test('a schema is registered under BACKWARD compatibility and its id given back', async () => {
  const { registry, calls } = createRegistry(usageEventRecord.schema)
  expect(await registerRecordSchema(registry, 't1-', usageEventRecord)).toBe(7)
  expect(calls).toEqual(['register t1-usage.events.1-value', 't1-usage.events.1-value BACKWARD'])
})

test('an id under which the registry keeps another schema is refused', async () => {
  const { registry } = createRegistry({ type: 'record', name: 'Other', fields: [] })
  for (const record of recordSchemas)
    await expect(registerRecordSchema(registry, '', record)).rejects.toMatchObject({
      code: 'schema_id_mismatch',
      retryable: false,
    })
})
