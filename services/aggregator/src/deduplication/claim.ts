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

export const claimBytes = 36

/** Written where nothing else lies yet: a commit makes one piece of bytes for all its claims. */
export function writeClaim({ first, payloadHash, logTimeMicros }: Claim, target: Buffer, at: number): void {
  target.writeUInt16BE(first.log, at)
  target.writeUInt16BE(first.partition, at + 2)
  writeWhole(Number(first.offset), target, at + 4)
  for (let byte = 0; byte < 16; byte += 1) target[at + 12 + byte] = payloadHash[byte] ?? 0
  writeWhole(logTimeMicros, target, at + 28)
}

/** A whole number from 0 to 2^53 as eight bytes: as a bigint it takes several times longer. */
function writeWhole(value: number, target: Buffer, at: number): void {
  const high = Math.floor(value / 4_294_967_296)
  target.writeUInt32BE(high, at)
  target.writeUInt32BE(value - high * 4_294_967_296, at + 4)
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
