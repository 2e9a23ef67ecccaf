import { mkdir, rm } from 'node:fs/promises'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { ClassicLevel } from 'classic-level'
import { type Claim, decodeClaim, encodeClaim } from './claim.ts'
import type { NewClaim } from './decide.ts'
import { expiryKey, findExpired, stillExpired } from './expiry.ts'
import { IdentityFilter } from './identity-filter.ts'
import { atBeginning, decodePosition, encodePosition, type Position } from './position.ts'
import { isHeld } from './slot.ts'

type Database = ClassicLevel<Buffer, Buffer>

/** Identities begin with a tenant's number and lie below it, entries of what expires above it. */
const positionKey = Buffer.from([0xfe])

const keysAtATime = 10_000

// Keys are hashes, which do not compress. A table is written per 8 MiB of claims: eight partitions stay small.
const options = {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  compression: false,
  writeBufferSize: 8 * 1_048_576,
  cacheSize: 8 * 1_048_576,
  maxOpenFiles: 256,
} as const

export type StateOptions = {
  /** How long an identity is kept, in log time; see keptMicros. */
  keptMicros: number
  /** Told before a store that cannot be read is thrown away. */
  onDamage(cause: unknown): void
}

/** Since the state was opened. */
export type StateUse = {
  /** Identities that were asked for, and those of them that the filter could not rule out. */
  asked: number
  askedStore: number
  /** Claims that were removed because they had expired. */
  expired: number
  /** Memory of the filter. */
  filterBytes: number
}

/**
 * What one partition remembers: identity → claim, and the position that this stands for. An LSM store behind a filter in
 * memory; it is a copy of what the ledger says, so whatever looks wrong with it is thrown away and rebuilt.
 */
export class DeduplicationState {
  readonly #database: Database
  readonly #directory: string
  readonly #keptMicros: number
  readonly #filter = new IdentityFilter()
  readonly #use = { asked: 0, askedStore: 0, expired: 0 }
  #position: Position
  /** Until it ends the filter does not know all, and every question goes to the store. */
  #filling: Promise<void> | undefined
  #isClosing = false

  constructor(database: Database, directory: string, position: Position, keptMicros: number) {
    this.#database = database
    this.#directory = directory
    this.#position = position
    this.#keptMicros = keptMicros
    if (position.nextOffset > 0n) this.#filling = this.#fill()
  }

  get position(): Position {
    return this.#position
  }

  use(): StateUse {
    return { ...this.#use, filterBytes: this.#filter.bytes() }
  }

  /** By index; undefined where the identity is unknown. Expired claims are among them: who decides leaves them out. */
  async findClaims(identities: readonly Buffer[]): Promise<(Claim | undefined)[]> {
    const claims = new Array<Claim | undefined>(identities.length).fill(undefined)
    const places: number[] = []
    for (const [place, identity] of identities.entries())
      if (this.#filling !== undefined || this.#filter.mayHold(identity)) places.push(place)
    this.#use.asked += identities.length
    this.#use.askedStore += places.length
    if (places.length === 0) return claims
    const asked = places.flatMap((place) => identities[place] ?? [])
    const found = await this.#guarded(() => this.#database.getMany(asked))
    for (const [index, place] of places.entries()) {
      const bytes = found[index]
      if (bytes !== undefined) claims[place] = decodeClaim(bytes)
    }
    return claims
  }

  /**
   * All or nothing, also across a power cut, so it waits for the disk: without that the disk may get a later commit and
   * not this one, and the store would open with a position whose claims are not all there. With it go the oldest claims
   * that have expired by now: nobody may use them any more, whether they are there or not.
   */
  async commit(claims: Iterable<NewClaim>, position: Position): Promise<void> {
    await this.#guarded(async () => {
      const batch = this.#database.batch()
      const expiredBefore = position.logTimeMicros - this.#keptMicros
      const entry = await findExpired(this.#database, expiredBefore)
      if (entry !== undefined) {
        const expired = await stillExpired(this.#database, entry, expiredBefore)
        for (const identity of expired) batch.del(identity)
        batch.del(entry.key)
        this.#use.expired += expired.length
      }
      const identities: Buffer[] = []
      // Behind the removals: of two operations on one key the later counts, and a claim made again must stay.
      for (const { identity, claim } of claims) {
        batch.put(identity, encodeClaim(claim))
        this.#filter.add(identity)
        identities.push(identity)
      }
      if (identities.length > 0)
        batch.put(expiryKey(position.logTimeMicros, position.nextOffset), Buffer.concat(identities))
      batch.put(positionKey, encodePosition(position))
      await batch.write({ sync: true })
    })
    this.#position = position
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await this.#filling
    await this.#database.close()
  }

  /** Closes it and removes it from the disk. */
  async discard(): Promise<void> {
    await this.close()
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** Reads every identity once, beside the batches; what is committed meanwhile is added on its own. */
  async #fill(): Promise<void> {
    const keys = this.#database.keys({ lt: positionKey })
    try {
      for (
        let found = await keys.nextv(keysAtATime);
        found.length > 0;
        found = await keys.nextv(keysAtATime)
      ) {
        for (const key of found) this.#filter.add(key)
        if (this.#isClosing) return
      }
      this.#filling = undefined
    } catch {
      // Damage shows where it matters: in what is read for a decision. Until then every question goes to the store.
    } finally {
      await keys.close()
    }
  }

  /** A store that cannot be read is damaged: it is removed, so that the next start rebuilds it instead of failing again. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      await this.discard().catch(() => {})
      throw new Failure(`the deduplication state in ${this.#directory} is damaged; it was removed`, {
        code: 'state_damaged',
        retryable: false,
        cause,
      })
    }
  }
}

/** Opens the state in the directory, an empty one where there is none or where it cannot be read. */
export async function openState(
  directory: string,
  { keptMicros, onDamage }: StateOptions,
): Promise<DeduplicationState> {
  try {
    return await open(directory, keptMicros)
  } catch (cause) {
    if (isHeld(cause))
      throw new Failure(`the deduplication state in ${directory} is in use by another process`, {
        code: 'state_locked',
        retryable: true,
        cause,
      })
    onDamage(cause)
    await rm(directory, { recursive: true, force: true })
    return open(directory, keptMicros)
  }
}

async function open(directory: string, keptMicros: number): Promise<DeduplicationState> {
  await mkdir(directory, { recursive: true })
  const database: Database = new ClassicLevel(directory, options)
  await database.open()
  const position = decodePosition(await database.get(positionKey))
  if (position !== undefined) return new DeduplicationState(database, directory, position, keptMicros)
  const [key] = await database.keys({ limit: 1 }).all()
  if (key === undefined) return new DeduplicationState(database, directory, atBeginning, keptMicros)
  await database.close()
  throw new Error('it holds claims but no position of today’s format')
}
