import { hash128, writeHash128 } from './hash.ts'

/** Bytes of an identity key: the tenant's number (4, big-endian), then the 128-bit hash of source and id. */
export const identityKeyBytes = 20

let scratch = Buffer.allocUnsafe(1024)

/**
 * The identity of an event as every store keys it. Source is length-prefixed, so that ("ab", "c") and ("a", "bc") differ;
 * the tenant's number is outside the hash, so that a crafted collision can hurt only the tenant that crafts it.
 * It never changes: the ledger and the deduplication state of every installation are keyed by it.
 */
export function identityKey(tenantNumber: number, source: string, id: string): Buffer {
  const needed = 4 + 3 * (source.length + id.length)
  if (scratch.length < needed) scratch = Buffer.allocUnsafe(needed)
  const sourceBytes = scratch.write(source, 4)
  scratch.writeUInt32BE(sourceBytes, 0)
  const idBytes = scratch.write(id, 4 + sourceBytes)
  const key = Buffer.allocUnsafe(identityKeyBytes)
  key.writeUInt32BE(tenantNumber, 0)
  writeHash128(scratch.subarray(0, 4 + sourceBytes + idBytes), key, 4)
  return key
}

/** The partition of every copy of an event: the hash's low 48 bits modulo the count. It never changes within a log. */
export const partitionOf = (key: Buffer, partitions: number): number => key.readUIntBE(14, 6) % partitions

/** What tells a duplicate from a conflict: type, subject, time and data as the client sent them, nothing that we added. */
export type Payload = {
  readonly type: string
  readonly subject: string
  /** Microseconds since 1970, or undefined when the client sent no time. */
  readonly timeMicros: number | undefined
  /** Canonical JSON; empty when the client sent no data. */
  readonly data: string
}

export function payloadHash({ type, subject, timeMicros, data }: Payload): Buffer {
  const text = `${type.length}:${type}${subject.length}:${subject}${timeMicros ?? '-'}:${data}`
  return hash128(Buffer.from(text))
}
