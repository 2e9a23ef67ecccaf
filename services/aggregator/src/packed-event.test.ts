import { createAvroDecoder } from '@tidemark/infra/schema-registry/decoder.ts'
import { frame } from '@tidemark/infra/schema-registry/framing.ts'
import { parseAvroSchema } from '@tidemark/schemas/avro-schema.ts'
import { identityKey, identityKeyOfBytes } from '@tidemark/schemas/event-identity.ts'
import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'
import { beforeAll, expect, test } from 'vitest'
import { PackedEvent, packed, packedEventReader } from './packed-event.ts'

const today = usageEventType.schema()
/** As it was before events could be corrected. */
const earlier = {
  ...JSON.parse(JSON.stringify(today)),
  fields: JSON.parse(JSON.stringify(today)).fields.filter(
    ({ name }: { name: string }) => name !== 'action' && name !== 'revision',
  ),
}
const registry = { fetchSchema: async (id: number) => (id === 1 ? today : earlier) }
const decoder = createAvroDecoder({ registry, readerSchema: packedEventReader, parseSchema: parseAvroSchema })
const plain = createAvroDecoder({ registry, readerSchema: usageEventType, parseSchema: parseAvroSchema })
beforeAll(async () => {
  for (const each of [decoder, plain]) for (const id of [1, 2]) await each.resolve(id)
})

const event: UsageEvent = {
  tenant: 'acme',
  tenantNumber: 7,
  id: 'i-1',
  source: 'api/λ',
  type: 'request',
  subject: '顧客 😀',
  time: 1_795_219_200_123_456,
  acceptedAt: 1,
  data: `{"text":"${'x'.repeat(300)}"}`,
  payloadHash: Buffer.from('0123456789abcdef'),
  action: 'correct',
  revision: 3,
}

/** Its fields, as an event of plain values. */
function fieldsOf(read: UsageEvent): UsageEvent {
  const { tenant, tenantNumber, id, source, type, subject, time, acceptedAt } = read
  const { data, payloadHash, action, revision } = read
  const texts = { tenant, id, source, type, subject, data }
  return { ...texts, tenantNumber, time, acceptedAt, payloadHash: Buffer.from(payloadHash), action, revision }
}

/** What this reader makes of the bytes, and what avsc does. */
function bothOf(value: Buffer): [unknown, unknown] {
  const [ours, theirs] = [decoder, plain].map((each) => each.decodeSync(value))
  const flat = (decoded: typeof ours) =>
    decoded?.kind === 'ok' ? { kind: 'ok', value: fieldsOf(decoded.value) } : decoded
  return [flat(ours), flat(theirs)]
}

test.each<[string, Partial<UsageEvent>]>([
  ['usual values', {}],
  [
    'nothing',
    { tenant: '', id: '', source: '', type: '', subject: '', data: '', revision: 0, action: 'none' },
  ],
  ['negative numbers', { action: 'void', tenantNumber: -1, revision: -5, time: -1 }],
  ['the largest numbers', { time: Number.MAX_SAFE_INTEGER - 1, acceptedAt: 4_503_599_627_370_497 }],
  [
    'numbers of many bits',
    { tenantNumber: 2_147_483_647, time: 4_503_599_627_370_495, acceptedAt: 4_503_599_627_370_496 },
  ],
  ['long and other texts', { subject: '\uFEFFbyte order mark', id: 'ß'.repeat(64), source: 'é'.repeat(63) }],
  ['much data', { data: 'd'.repeat(70_000) }],
])('reads what avsc reads: %s', (_what, given) => {
  const value = frame(1, usageEventType.toBuffer({ ...event, ...given }))
  const [ours, theirs] = bothOf(value)
  expect(ours).toEqual(theirs)
  expect(ours).toMatchObject({ kind: 'ok', value: given })
})

test('every cut, and every changed byte, is read or refused as avsc does', () => {
  const value = frame(1, usageEventType.toBuffer({ ...event, data: '{"a":1}' }))
  for (let length = 0; length <= value.length; length += 1) {
    const [ours, theirs] = bothOf(value.subarray(0, length))
    expect(ours).toEqual(theirs)
  }
  for (let at = 5; at < value.length; at += 1)
    for (const byte of [0, 1, 2, 0x7f, 0x80, 0xc3, 0xff]) {
      const changed = Buffer.from(value)
      changed[at] = byte
      const [ours, theirs] = bothOf(changed)
      expect(ours, `byte ${at} as ${byte}`).toEqual(theirs)
    }
  const [ours, theirs] = bothOf(Buffer.concat([value, Buffer.from([0])]))
  expect(ours).toEqual(theirs)
})

test('a record of an earlier schema is packed too', () => {
  const { action: _action, revision: _revision, ...fields } = event
  const [ours, theirs] = bothOf(frame(2, parseAvroSchema(earlier).toBuffer(fields)))
  expect(ours).toEqual(theirs)
  expect(ours).toMatchObject({ kind: 'ok', value: { action: 'none', revision: 0 } })
})

test('an identity is the same from bytes and from text, also beyond the usual length', () => {
  for (const given of [{}, { id: 'é'.repeat(2_000) }, { source: '', id: '' }, { id: 'i-2' }]) {
    const each = packed({ ...event, ...given })
    expect(each).toBeInstanceOf(PackedEvent)
    const { bytes, sourceAt, sourceEnd, idAt, idEnd } = each
    expect(identityKeyOfBytes(7, bytes, sourceAt, sourceEnd, idAt, idEnd)).toEqual(
      identityKey(7, each.source, each.id),
    )
  }
})
