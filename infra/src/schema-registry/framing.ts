const magicByte = 0
/** A zero byte, then the schema's id as four bytes, big-endian: the Confluent wire format. */
export const framedAt = 5

export type Unframed =
  | { kind: 'framed'; schemaId: number; payload: Buffer }
  | { kind: 'malformed'; reason: FramingFault }

export function frame(schemaId: number, payload: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(framedAt + payload.length)
  framed[0] = magicByte
  framed.writeUInt32BE(schemaId, 1)
  payload.copy(framed, framedAt)
  return framed
}

export type FramingFault = 'empty' | 'too_short' | 'magic_byte'

/** The id of the schema that a value names; its payload begins at `framedAt`. */
export function framedSchema(value: Buffer | null): number | FramingFault {
  if (value === null || value.length === 0) return 'empty'
  if (value[0] !== magicByte) return 'magic_byte'
  return value.length < framedAt ? 'too_short' : value.readUInt32BE(1)
}

/** The payload is a view of the same memory, not a copy. */
export function unframe(value: Buffer | null): Unframed {
  const schemaId = framedSchema(value)
  if (value === null || typeof schemaId === 'string')
    return { kind: 'malformed', reason: typeof schemaId === 'string' ? schemaId : 'empty' }
  return { kind: 'framed', schemaId, payload: value.subarray(framedAt) }
}
