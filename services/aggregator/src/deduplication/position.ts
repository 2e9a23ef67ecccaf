/** How far a partition's state has come; written together with the claims, in one atomic write. */
export type Position = {
  readonly nextOffset: bigint
  /** Running maximum of append times below nextOffset. */
  readonly logTimeMicros: number
  /** The last record below it: held against the ledger and the log, so that state of another log is never believed. */
  readonly last: Fingerprint | undefined
}

/** What the ledger and the Kafka log both know of a record. The identity is all zeros where the bytes had none. */
export type Fingerprint = {
  readonly offset: bigint
  readonly identity: Buffer
  readonly appendTimeMicros: number
}

export const atBeginning: Position = { nextOffset: 0n, logTimeMicros: 0, last: undefined }

export const isSameRecord = (a: Fingerprint, b: Fingerprint): boolean =>
  a.offset === b.offset && a.appendTimeMicros === b.appendTimeMicros && a.identity.equals(b.identity)

// A state written under another format is not read but rebuilt.
const format = 4
export const positionBytes = 54

export function encodePosition(position: Position): Buffer {
  const { nextOffset, logTimeMicros, last } = position
  const bytes = Buffer.alloc(positionBytes)
  bytes[0] = format
  bytes.writeBigUInt64BE(nextOffset, 1)
  bytes.writeBigUInt64BE(BigInt(logTimeMicros), 9)
  if (last === undefined) return bytes
  bytes[17] = 1
  bytes.writeBigUInt64BE(last.offset, 18)
  bytes.writeBigUInt64BE(BigInt(last.appendTimeMicros), 26)
  last.identity.copy(bytes, 34, 0, 20)
  return bytes
}

/** Undefined where the bytes are no position of today's format. */
export function decodePosition(bytes: Buffer | undefined): Position | undefined {
  if (bytes?.length !== positionBytes || bytes[0] !== format) return undefined
  const last = {
    offset: bytes.readBigUInt64BE(18),
    appendTimeMicros: Number(bytes.readBigUInt64BE(26)),
    identity: Buffer.from(bytes.subarray(34, 54)),
  }
  return {
    nextOffset: bytes.readBigUInt64BE(1),
    logTimeMicros: Number(bytes.readBigUInt64BE(9)),
    last: bytes[17] === 1 ? last : undefined,
  }
}
