import { identityKeyBytes } from '@tidemark/schemas/event-identity.ts'
import type { ClassicLevel } from 'classic-level'
import { decodeClaim } from './claim.ts'

/** The identities of one commit, in the order in which they expire: by the log time at its end. */
export type ExpiryEntry = { readonly key: Buffer; readonly identities: readonly Buffer[] }

/** Above every identity, which begins with a tenant's number. */
const mark = 0xff
const keyBytes = 17
const firstKey = Buffer.from([mark])
const lastKey = Buffer.alloc(keyBytes + 1, 0xff)

export function expiryKey(logTimeMicros: number, nextOffset: bigint): Buffer {
  const key = Buffer.allocUnsafe(keyBytes)
  key[0] = mark
  key.writeBigUInt64BE(BigInt(logTimeMicros), 1)
  key.writeBigUInt64BE(nextOffset, 9)
  return key
}

/** The first entry that has expired before the instant, in log time; undefined where none has. */
export async function findExpired(
  database: ClassicLevel<Buffer, Buffer>,
  beforeMicros: number,
): Promise<ExpiryEntry | undefined> {
  const [entry] = await database.iterator({ gte: firstKey, lt: lastKey, limit: 1 }).all()
  if (entry === undefined) return undefined
  const [key, value] = entry
  if (Number(key.readBigUInt64BE(1)) >= beforeMicros) return undefined
  const count = value.length / identityKeyBytes
  const identities = Array.from({ length: count }, (_, index) =>
    value.subarray(index * identityKeyBytes, (index + 1) * identityKeyBytes),
  )
  return { key, identities }
}

/** Those of the entry whose claim has expired: one that was claimed again since then stays. */
export async function stillExpired(
  database: ClassicLevel<Buffer, Buffer>,
  { identities }: ExpiryEntry,
  beforeMicros: number,
): Promise<Buffer[]> {
  const claims = await database.getMany([...identities])
  return identities.filter((_, index) => {
    const claim = claims[index]
    return claim !== undefined && decodeClaim(claim).logTimeMicros < beforeMicros
  })
}
