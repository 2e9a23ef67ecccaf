import { expect, test } from 'vitest'
import { frame, unframe } from './framing.ts'

test('what was framed is found again, ids above 2^31 too', () => {
  const payload = Buffer.from('usage')
  for (const schemaId of [0, 1, 0x7fffffff, 0xffffffff]) {
    expect(unframe(frame(schemaId, payload))).toEqual({ kind: 'framed', schemaId, payload })
  }
})

test('the frame is a zero byte and four bytes of id, big-endian', () => {
  expect(frame(258, Buffer.from([9]))).toEqual(Buffer.from([0, 0, 0, 1, 2, 9]))
})

test('an empty payload is framed and found', () => {
  expect(unframe(frame(7, Buffer.alloc(0)))).toEqual({
    kind: 'framed',
    schemaId: 7,
    payload: Buffer.alloc(0),
  })
})

test('anything else is malformed, with its reason', () => {
  expect(unframe(null)).toEqual({ kind: 'malformed', reason: 'empty' })
  expect(unframe(Buffer.alloc(0))).toEqual({ kind: 'malformed', reason: 'empty' })
  expect(unframe(Buffer.from([0, 0, 0, 1]))).toEqual({ kind: 'malformed', reason: 'too_short' })
  expect(unframe(Buffer.from('{"id":1}'))).toEqual({ kind: 'malformed', reason: 'magic_byte' })
})
