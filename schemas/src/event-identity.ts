import { writeHash128 } from './hash.ts'

/** Bytes of an identity key: the tenant's number (4, big-endian), then the 128-bit hash of source and id. */
export const identityKeyBytes = 20

/** Bytes of what tells a duplicate from a conflict. */
export const payloadHashBytes = 16

let scratch = Buffer.allocUnsafe(1024)

const makeRoom = (bytes: number): void => {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafe(bytes)
}

type Identity = { readonly tenantNumber: number; readonly source: string; readonly id: string }

/**
 * The identity of an event as every store keys it. Source is length-prefixed, so that ("ab", "c") and ("a", "bc") differ;
 * the tenant's number is outside the hash, so that a crafted collision can hurt only the tenant that crafts it.
 * It never changes: the ledger and the deduplication state of every installation are keyed by it.
 */
export function identityKey(tenantNumber: number, source: string, id: string): Buffer {
  const key = Buffer.allocUnsafe(identityKeyBytes)
  writeIdentityKey({ tenantNumber, source, id }, key, 0)
  return key
}

/** identityKey, written into `target` at `at`. */
export function writeIdentityKey({ tenantNumber, source, id }: Identity, target: Buffer, at: number): void {
  makeRoom(4 + 3 * (source.length + id.length))
  const sourceBytes = scratch.write(source, 4)
  scratch.writeUInt32BE(sourceBytes, 0)
  const idBytes = scratch.write(id, 4 + sourceBytes)
  target.writeUInt32BE(tenantNumber, at)
  writeHash128(scratch.subarray(0, 4 + sourceBytes + idBytes), target, at + 4)
}

/** The partition of every copy of an event: the low 48 bits of its key (from `at` on) modulo the count. It never changes within a log. */
export const partitionOf = (key: Buffer, partitions: number, at = 0): number =>
  key.readUIntBE(at + 14, 6) % partitions

/** What tells a duplicate from a conflict: type, subject, time and data as the client sent them, nothing that we added. */
export type Payload = {
  readonly type: string
  readonly subject: string
  /** Microseconds since 1970, or undefined when the client sent no time. */
  readonly timeMicros: number | undefined
  /** Canonical JSON; empty when the client sent no data. */
  readonly data: string
}

export function payloadHash(payload: Payload): Buffer {
  const hash = Buffer.allocUnsafe(payloadHashBytes)
  writePayloadHash(payload, hash, 0)
  return hash
}

/** payloadHash, written into `target` at `at`. */
export function writePayloadHash(payload: Payload, target: Buffer, at: number): void {
  const { type, subject, timeMicros, data } = payload
  const text = `${type.length}:${type}${subject.length}:${subject}${timeMicros ?? '-'}:${data}`
  makeRoom(3 * text.length)
  writeHash128(scratch.subarray(0, scratch.write(text)), target, at)
}
