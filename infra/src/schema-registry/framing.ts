const magicByte = 0
/** A zero byte, then the schema's id as four bytes, big-endian: the Confluent wire format. */
const headerBytes = 5

export type Unframed =
  | { kind: 'framed'; schemaId: number; payload: Buffer }
  | { kind: 'malformed'; reason: 'empty' | 'too_short' | 'magic_byte' }

export function frame(schemaId: number, payload: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(headerBytes + payload.length)
  framed[0] = magicByte
  framed.writeUInt32BE(schemaId, 1)
  payload.copy(framed, headerBytes)
  return framed
}

/** The payload is a view of the same memory, not a copy. */
export function unframe(value: Buffer | null): Unframed {
  if (value === null || value.length === 0) return { kind: 'malformed', reason: 'empty' }
  if (value[0] !== magicByte) return { kind: 'malformed', reason: 'magic_byte' }
  if (value.length < headerBytes) return { kind: 'malformed', reason: 'too_short' }
  return { kind: 'framed', schemaId: value.readUInt32BE(1), payload: value.subarray(headerBytes) }
}
