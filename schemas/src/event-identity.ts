import { writeHash128 } from './hash.ts'

/** Bytes of an identity key: the tenant's number (4, big-endian), then the 128-bit hash of source and id. */
export const identityKeyBytes = 20

/** Bytes of what tells a duplicate from a conflict. */
export const payloadHashBytes = 16

let scratch = Buffer.allocUnsafe(1024)
/** The first so many bytes of the scratch: most identities are of few lengths, and a view costs as much as a hash. */
let beginnings: Uint8Array[] = []

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

type Identity = { readonly tenantNumber: number; readonly source: string; readonly id: string }

/** identityKey, written into `target` at `at`. */
export function writeIdentityKey({ tenantNumber, source, id }: Identity, target: Buffer, at: number): void {
  reserve(4 + 3 * (source.length + id.length))
  const sourceBytes = scratch.write(source, 4)
  const idBytes = scratch.write(id, 4 + sourceBytes)
  target.writeUInt32BE(tenantNumber, at)
  writeHash128(hashedScratch(sourceBytes, idBytes), target, at + 4)
}

/** The same of a source and an id that are at hand as bytes. */
export function identityKeyOfBytes(
  tenantNumber: number,
  bytes: Uint8Array,
  sourceAt: number,
  sourceEnd: number,
  idAt: number,
  idEnd: number,
): Buffer {
  const sourceBytes = sourceEnd - sourceAt
  const idBytes = idEnd - idAt
  reserve(4 + sourceBytes + idBytes)
  for (let byte = 0; byte < sourceBytes; byte += 1) scratch[4 + byte] = bytes[sourceAt + byte] ?? 0
  for (let byte = 0; byte < idBytes; byte += 1) scratch[4 + sourceBytes + byte] = bytes[idAt + byte] ?? 0
  const key = Buffer.allocUnsafe(identityKeyBytes)
  key.writeUInt32BE(tenantNumber, 0)
  writeHash128(hashedScratch(sourceBytes, idBytes), key, 4)
  return key
}

function reserve(needed: number): void {
  if (scratch.length >= needed) return
  scratch = Buffer.allocUnsafe(needed)
  beginnings = []
}

/** What is hashed of the scratch, its length field written. */
function hashedScratch(sourceBytes: number, idBytes: number): Uint8Array {
  const length = 4 + sourceBytes + idBytes
  scratch.writeUInt32BE(sourceBytes, 0)
  const hashed = beginnings[length] ?? scratch.subarray(0, length)
  beginnings[length] = hashed
  return hashed
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
  reserve(3 * text.length)
  writeHash128(scratch.subarray(0, scratch.write(text)), target, at)
}
