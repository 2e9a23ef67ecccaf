import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'
import { expect, test } from 'vitest'
import { Failure } from '../process/failure.ts'
import type { AvroSchemaJson } from './client.ts'
import { type AvroDecoder, createAvroDecoder } from './decoder.ts'
import { frame } from './framing.ts'

const event: UsageEvent = {
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

function decoderWith(fetchSchema: (id: number) => Promise<AvroSchemaJson>): AvroDecoder<UsageEvent> {
  return createAvroDecoder({
    registry: { fetchSchema },
    readerSchema: usageEventType,
    parseSchema: () => usageEventType,
  })
}

test('a schema is fetched once, even when many records ask for it at a time; then decoding is synchronous', async () => {
  let fetched = 0
  const decoder = decoderWith(async () => {
    fetched += 1
    return 'usage'
  })
  const value = frame(3, usageEventType.toBuffer(event))
  expect(decoder.decodeSync(value)).toEqual({ kind: 'unresolved', schemaId: 3 })
  const decoded = await Promise.all([decoder.decode(value), decoder.decode(value), decoder.decode(value)])
  expect(decoded.map((each) => each.kind)).toEqual(['ok', 'ok', 'ok'])
  expect(decoder.decodeSync(value)).toMatchObject({ kind: 'ok', value: { id: 'e1', revision: 0 } })
  expect(fetched).toBe(1)
})

test('bytes that are not what the schema says are malformed, never an exception', async () => {
  const decoder = decoderWith(async () => 'usage')
  await decoder.resolve(3)
  const whole = usageEventType.toBuffer(event)
  expect(decoder.decodeSync(frame(3, whole.subarray(0, 9))).kind).toBe('malformed')
  expect(decoder.decodeSync(frame(3, Buffer.concat([whole, Buffer.from([1])]))).kind).toBe('malformed')
  expect(decoder.decodeSync(Buffer.from('text')).kind).toBe('malformed')
  expect(decoder.decodeSync(null).kind).toBe('malformed')
})

test('an unknown schema id waits: the failure is retryable, and the next attempt asks again', async () => {
  let known = false
  const decoder = decoderWith(async (id) => {
    if (!known) throw new Failure(`no schema ${id}`, { code: 'schema_unknown', retryable: false })
    return 'usage'
  })
  const value = frame(9, usageEventType.toBuffer(event))
  await expect(decoder.decode(value)).rejects.toMatchObject({ code: 'schema_unknown', retryable: true })
  known = true
  expect((await decoder.decode(value)).kind).toBe('ok')
})

test('a registry that is away is not a malformed record', async () => {
  const away = new Failure('away', { code: 'registry_unavailable', retryable: true })
  const decoder = decoderWith(() => Promise.reject(away))
  await expect(decoder.decode(frame(1, Buffer.alloc(3)))).rejects.toBe(away)
})
