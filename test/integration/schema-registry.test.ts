import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { createSchemaRegistry, type SchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { type AvroDecoder, createAvroDecoder } from '@tidemark/infra/schema-registry/decoder.ts'
import { frame } from '@tidemark/infra/schema-registry/framing.ts'
import usageEventSchema from '@tidemark/schemas/avro/usage-event.avsc.json' with { type: 'json' }
import { parseAvroSchema } from '@tidemark/schemas/avro-schema.ts'
import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'
import { beforeAll, expect, inject, test } from 'vitest'

let registry: SchemaRegistry

beforeAll(() => {
  registry = createSchemaRegistry({ url: inject('stackEnvironment').SCHEMA_REGISTRY_URL ?? '' })
})

const freshSubject = (): string => `registry-test-${randomUUID()}-value`
const record = (fields: object[]) => ({ type: 'record', name: 'Reading', fields })
const id = { name: 'id', type: 'string' }

test('a schema has one id, however often it is registered, and is found by it', async () => {
  const subject = freshSubject()
  const schemaId = await registry.registerSchema(subject, record([id]))
  expect(await registry.registerSchema(subject, record([id]))).toBe(schemaId)
  expect(await registry.fetchSchema(schemaId)).toEqual(record([id]))
})

test('a new field needs a default: without one the schema is refused, and the check says so before', async () => {
  const subject = freshSubject()
  expect(await registry.checkCompatibility(subject, record([id]))).toBe(true)
  await registry.registerSchema(subject, record([id]))
  await registry.setCompatibility(subject, 'BACKWARD')
  const bare = record([id, { name: 'unit', type: 'string' }])
  const kind = record([id, { name: 'unit', type: 'string', default: '' }])
  expect(await registry.checkCompatibility(subject, bare)).toBe(false)
  expect(await registry.checkCompatibility(subject, kind)).toBe(true)
  await expect(registry.registerSchema(subject, bare)).rejects.toMatchObject({
    code: 'schema_incompatible',
    retryable: false,
  })
  expect(await registry.registerSchema(subject, kind)).toBeGreaterThan(0)
})

test('an id nobody gave out is unknown; what is no schema is invalid', async () => {
  await expect(registry.fetchSchema(2_000_000_000)).rejects.toMatchObject({ code: 'schema_unknown' })
  const nonsense = { type: 'no such type' }
  await expect(registry.registerSchema(freshSubject(), nonsense)).rejects.toMatchObject({
    code: 'schema_invalid',
  })
})

test('an event of an older writer is read with the defaults of today', async () => {
  const fields = usageEventSchema.fields.filter(({ name }) => name !== 'revision')
  const before = { ...usageEventSchema, fields }
  const schemaId = await registry.registerSchema(freshSubject(), before)
  const { revision: _since, ...written } = sample
  const decoder: AvroDecoder<UsageEvent> = createAvroDecoder({
    registry,
    readerSchema: usageEventType,
    parseSchema: parseAvroSchema,
  })
  const decoded = await decoder.decode(frame(schemaId, parseAvroSchema(before).toBuffer(written)))
  expect(decoded).toMatchObject({ kind: 'ok', value: { id: 'e1', revision: 0 } })
})

test('a registry that accepts connections but never answers is given up in time', async () => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const port = typeof address === 'object' ? address?.port : 0
  const away = createSchemaRegistry({ url: `http://127.0.0.1:${port}`, timeoutMs: 300 })
  const from = performance.now()
  await expect(away.fetchSchema(1)).rejects.toMatchObject({ code: 'registry_unavailable', retryable: true })
  expect(performance.now() - from).toBeLessThan(2_000)
  silent.close()
})

const sample: UsageEvent = {
  tenant: 'acme',
  tenantNumber: 1,
  id: 'e1',
  source: 's',
  type: 'request',
  subject: 'k1',
  time: 1_760_000_000_000_000,
  acceptedAt: 1_760_000_000_000_001,
  data: '{}',
  payloadHash: Buffer.alloc(16, 7),
  action: 'none',
  revision: 0,
}
