import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { identityKeyBytes } from '@tidemark/schemas/event-identity.ts'
import { ClassicLevel } from 'classic-level'
import { type Claim, claimBytes, decodeClaim, writeClaim } from './claim.ts'
import type { NewClaim } from './decide.ts'
import { IdentityFilter } from './identity-filter.ts'
import { decodePosition, encodePosition, type Position, positionBytes } from './position.ts'

type Database = ClassicLevel<Buffer, Buffer>

/** Identities begin with a tenant's number and lie below it. */
const endKey = Buffer.alloc(identityKeyBytes + 1, 0xff)
const keysAtATime = 10_000

// Keys are hashes, which do not compress, and no two reads are near each other. A file is written per 8 MiB of claims: eight
// partitions stay small.
const options = {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  compression: false,
  writeBufferSize: 8 * 1_048_576,
  cacheSize: 1_048_576,
  maxFileSize: 32 * 1_048_576,
} as const

/**
 * A stretch of the log: the claims that were made in it and the position at its end, in an LSM store of its own behind a
 * filter in memory. It is bounded, so that what the store does to keep itself in order is too: one store for all would do
 * more for each claim the more it holds. And it goes as a whole, when the last of its claims has expired.
 */
export class Generation {
  readonly number: number
  readonly #database: Database
  readonly #directory: string
  #filter: IdentityFilter | undefined
  #isFilled: boolean
  #claims = 0
  #begunMicros = 0
  #position: Position | undefined

  private constructor(number: number, directory: string, database: Database, end: Buffer | undefined) {
    this.number = number
    this.#directory = directory
    this.#database = database
    this.#position = decodePosition(end?.subarray(0, positionBytes))
    this.#isFilled = this.#position === undefined
    if (end === undefined || this.#position === undefined) return
    this.#claims = end.readUInt32BE(positionBytes)
    this.#begunMicros = Number(end.readBigUInt64BE(positionBytes + 4))
  }

  /** @throws where it cannot be read, or holds claims but no position of today's format */
  static async open(parent: string, number: number): Promise<Generation> {
    const directory = join(parent, nameOf(number))
    await mkdir(directory, { recursive: true })
    const database: Database = new ClassicLevel(directory, options)
    await database.open()
    const end = await database.get(endKey)
    const [key] = await database.keys({ limit: 1 }).all()
    const generation = new Generation(number, directory, database, end)
    if (generation.position !== undefined || key === undefined) return generation
    await database.close()
    throw new Error('it holds claims but no position of today’s format')
  }

  /** Undefined before the first commit. */
  get position(): Position | undefined {
    return this.#position
  }

  get claims(): number {
    return this.#claims
  }

  /** Log time of its first commit. */
  get begunMicros(): number {
    return this.#begunMicros
  }

  get filterBytes(): number {
    return this.#filter?.bytes() ?? 0
  }

  /** From now on the filter answers; what the store holds already is told to it by `fill`. */
  useFilter(expectedClaims = this.#claims): void {
    this.#filter = new IdentityFilter(expectedClaims)
  }

  /** For good: every question goes to the store. */
  dropFilter(): void {
    this.#filter = undefined
  }

  mayHold(identity: Buffer): boolean {
    return !this.#isFilled || this.#filter === undefined || this.#filter.mayHold(identity)
  }

  async find(identities: readonly Buffer[]): Promise<(Claim | undefined)[]> {
    const found = await this.#database.getMany([...identities])
    return found.map((bytes) => (bytes === undefined ? undefined : decodeClaim(bytes)))
  }

  /** All or nothing, also across a power cut. */
  async commit(claims: readonly NewClaim[], position: Position): Promise<void> {
    const batch = this.#database.batch()
    const values = Buffer.allocUnsafe(claims.length * claimBytes)
    for (const [at, { identity, claim }] of claims.entries()) {
      writeClaim(claim, values, at * claimBytes)
      batch.put(identity, values.subarray(at * claimBytes, (at + 1) * claimBytes))
      this.#filter?.add(identity)
    }
    if (this.#position === undefined) this.#begunMicros = position.logTimeMicros
    this.#claims += claims.length
    const end = Buffer.alloc(positionBytes + 12)
    encodePosition(position).copy(end)
    end.writeUInt32BE(this.#claims, positionBytes)
    end.writeBigUInt64BE(BigInt(this.#begunMicros), positionBytes + 4)
    batch.put(endKey, end)
    await batch.write({ sync: true })
    this.#position = position
  }

  /** Tells the filter every identity, beside the batches; ends early when the signal says so. */
  async fill(signal: AbortSignal): Promise<void> {
    const keys = this.#database.keys({ lt: endKey })
    try {
      for (
        let found = await keys.nextv(keysAtATime);
        found.length > 0;
        found = await keys.nextv(keysAtATime)
      ) {
        if (signal.aborted) return
        for (const key of found) this.#filter?.add(key)
      }
      this.#isFilled = true
    } finally {
      await keys.close()
    }
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  /** Closes it and removes it from the disk, in one step as far as its name goes: no half of it is ever opened. */
  async discard(): Promise<void> {
    await this.close()
    const removed = `${this.#directory}${removedEnding}`
    await rename(this.#directory, removed)
    await rm(removed, { recursive: true, force: true })
  }
}

/** Of a folder that is being removed. */
export const removedEnding = '.removed'
const namePattern = /^g-(\d{8})$/
const nameOf = (number: number): string => `g-${String(number).padStart(8, '0')}`

/** The number of the generation that a folder of this name holds. */
export function generationOf(name: string): number | undefined {
  const digits = namePattern.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
