import { usageEventType } from '@tidemark/schemas/usage-event.ts'
import { expect, test } from 'vitest'
import { bytesFor, pick, rowsWhere } from './batch-columns.ts'
import { DictionaryBuilder, textColumn } from './event-columns.ts'
import { packed } from './packed-event.ts'

const eventOf = (id: string, type = 'request') =>
  packed(
    usageEventType.clone({
      tenant: 'acme',
      tenantNumber: 1,
      id,
      source: 's',
      type,
      subject: '',
      time: 0,
      acceptedAt: 0,
      data: '',
      payloadHash: Buffer.alloc(16),
      action: 'none',
      revision: 0,
    }),
  )

test.each([0, 1, 64, 65, 127, 128, 16_383, 16_384, 70_000])(
  'a text of %i bytes has its length before it',
  (length) => {
    const prefix: number[] = []
    for (let rest = length; ; rest >>= 7) {
      prefix.push(rest > 127 ? (rest & 127) | 128 : rest)
      if (rest <= 127) break
    }
    const one = Buffer.concat([Buffer.from(prefix), Buffer.alloc(length, 'x')])
    const events = [eventOf('x'.repeat(length)), eventOf('é')]
    const expected = Buffer.concat([one, Buffer.from([2]), Buffer.from('é')])
    expect(Buffer.from(textColumn(events, 'id'))).toEqual(expected)
  },
)

test('a dictionary holds each text once, whether it comes as text or in an event', () => {
  const types = new DictionaryBuilder(6)
  types.addOf(eventOf('1', 'a'), 'type')
  types.addOf(eventOf('2', 'b'), 'type')
  types.add('')
  types.addOf(eventOf('3', 'b'), 'type')
  types.addOf(eventOf('4', 'a'), 'type')
  types.add('a')
  expect(types.done()).toEqual({ texts: ['a', 'b', ''], indexes: Uint32Array.of(0, 1, 2, 1, 0, 0) })
})

test('rows are picked with all their bytes', () => {
  const rows = rowsWhere(3, (row) => row !== 1)
  expect(rows).toEqual(Uint32Array.of(0, 2))
  expect(pick(Uint8Array.of(1, 2, 3, 4, 5, 6), rows, bytesFor, 2)).toEqual(Uint8Array.of(1, 2, 5, 6))
})
