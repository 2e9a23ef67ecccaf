import { mkdir, rm } from 'node:fs/promises'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { ClassicLevel } from 'classic-level'
import { type Claim, decodeClaim, encodeClaim } from './claim.ts'
import type { NewClaim } from './decide.ts'
import { atBeginning, decodePosition, encodePosition, type Position } from './position.ts'
import { isHeld } from './slot.ts'

type Database = ClassicLevel<Buffer, Buffer>

/** Identities have 20 bytes, so no key of four bytes meets one. */
const positionKey = Buffer.from('next')

// Keys are hashes, which do not compress. A table is written per 8 MiB of claims: eight partitions stay small.
const options = {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  compression: false,
  writeBufferSize: 8 * 1_048_576,
  cacheSize: 8 * 1_048_576,
  maxOpenFiles: 256,
} as const

/**
 * What one partition remembers: identity → claim, and the position that this stands for. An LSM store with bloom
 * filters; it is a copy of what the ledger says, so whatever looks wrong with it is thrown away and rebuilt.
 */
export class DeduplicationState {
  readonly #database: Database
  readonly #directory: string
  #position: Position

  constructor(database: Database, directory: string, position: Position) {
    this.#database = database
    this.#directory = directory
    this.#position = position
  }

  get position(): Position {
    return this.#position
  }

  /** By index; undefined where the identity is unknown. Expired claims are among them: who decides leaves them out. */
  async findClaims(identities: readonly Buffer[]): Promise<(Claim | undefined)[]> {
    const found = await this.#guarded(() => this.#database.getMany([...identities]))
    return found.map((bytes) => bytes && decodeClaim(bytes))
  }

  /** All or nothing, also across a crash. Not synced to the disk: what a power cut takes, the ledger gives back. */
  async commit(claims: Iterable<NewClaim>, position: Position): Promise<void> {
    await this.#guarded(async () => {
      const batch = this.#database.batch()
      for (const { identity, claim } of claims) batch.put(identity, encodeClaim(claim))
      batch.put(positionKey, encodePosition(position))
      await batch.write()
    })
    this.#position = position
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  /** Closes it and removes it from the disk. */
  async discard(): Promise<void> {
    await this.#database.close()
    await rm(this.#directory, { recursive: true, force: true })
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
  onDamage: (cause: unknown) => void,
): Promise<DeduplicationState> {
  try {
    return await open(directory)
  } catch (cause) {
    if (isHeld(cause))
      throw new Failure(`the deduplication state in ${directory} is in use by another process`, {
        code: 'state_locked',
        retryable: true,
        cause,
      })
    onDamage(cause)
    await rm(directory, { recursive: true, force: true })
    return open(directory)
  }
}

async function open(directory: string): Promise<DeduplicationState> {
  await mkdir(directory, { recursive: true })
  const database: Database = new ClassicLevel(directory, options)
  await database.open()
  const position = decodePosition(await database.get(positionKey))
  if (position !== undefined) return new DeduplicationState(database, directory, position)
  const [key] = await database.keys({ limit: 1 }).all()
  if (key === undefined) return new DeduplicationState(database, directory, atBeginning)
  await database.close()
  throw new Error('it holds claims but no position of today’s format')
}
