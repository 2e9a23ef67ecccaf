import { describe, expect, it } from 'vitest'
import { RowBinary } from './row-binary.ts'

const hex = (write: (rows: RowBinary) => void): string => {
  const rows = new RowBinary(0)
  write(rows)
  return Buffer.from(rows.bytes()).toString('hex')
}

describe('RowBinary', () => {
  it('writes whole numbers little-endian', () => {
    expect(hex((rows) => rows.uint8(5))).toBe('05')
    expect(hex((rows) => rows.uint16(0x0102))).toBe('0201')
    expect(hex((rows) => rows.uint32(0x01020304))).toBe('04030201')
    expect(hex((rows) => rows.uint64(0x01020304050607n))).toBe('0706050403020100')
  })

  it('writes microseconds exactly up to 2106', () => {
    const expected = Buffer.alloc(8)
    for (const micros of [0, 1, 4_294_967_295, 4_294_967_296, 1_795_219_200_123_456, 4_294_967_295_000_000]) {
      expected.writeBigInt64LE(BigInt(micros))
      expect(hex((rows) => rows.micros(micros))).toBe(expected.toString('hex'))
    }
  })

  it.each([0, 1, 42, 43, 126, 127, 128, 16_383, 16_384, 70_000])('writes a text of %i bytes', (length) => {
    const prefix: number[] = []
    for (let rest = length; ; rest >>= 7) {
      prefix.push(rest > 127 ? (rest & 127) | 128 : rest)
      if (rest <= 127) break
    }
    const expected = Buffer.concat([Buffer.from(prefix), Buffer.alloc(length, 'x')]).toString('hex')
    expect(hex((rows) => rows.string('x'.repeat(length)))).toBe(expected)
  })

  it('counts a text in bytes of UTF-8', () => {
    expect(hex((rows) => rows.string('é€'))).toBe(`05${Buffer.from('é€').toString('hex')}`)
    const long = '€'.repeat(60)
    expect(hex((rows) => rows.string(long))).toBe(`b401${Buffer.from(long).toString('hex')}`)
  })

  it('grows as it is written', () => {
    const rows = new RowBinary(0)
    for (let at = 0; at < 5_000; at += 1) rows.fixed(Buffer.from([at & 255]))
    expect(Buffer.from(rows.bytes())).toEqual(Buffer.from(Array.from({ length: 5_000 }, (_, at) => at & 255)))
  })
})
