import type { Place } from '../place.ts'

/**
 * Who holds an identity: the accepted record that came first, and what later copies are compared with. Corrections are not
 * decided by it but by the ledger (docs/decisions/0013).
 */
export type Claim = {
  readonly first: Place
  readonly payloadHash: Buffer
  /** Log time when it was accepted: expiry counts from here. */
  readonly logTimeMicros: number
}

const claimBytes = 36

export function encodeClaim(claim: Claim): Buffer {
  const bytes = Buffer.allocUnsafe(claimBytes)
  bytes.writeUInt16BE(claim.first.log, 0)
  bytes.writeUInt16BE(claim.first.partition, 2)
  bytes.writeBigUInt64BE(claim.first.offset, 4)
  claim.payloadHash.copy(bytes, 12, 0, 16)
  bytes.writeBigUInt64BE(BigInt(claim.logTimeMicros), 28)
  return bytes
}

export function decodeClaim(bytes: Buffer): Claim {
  return {
    first: {
      log: bytes.readUInt16BE(0),
      partition: bytes.readUInt16BE(2),
      offset: bytes.readBigUInt64BE(4),
    },
    payloadHash: bytes.subarray(12, 28),
    logTimeMicros: Number(bytes.readBigUInt64BE(28)),
  }
}
