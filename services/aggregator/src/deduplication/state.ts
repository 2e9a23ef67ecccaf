import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Claim } from './claim.ts'
import type { NewClaim } from './decide.ts'
import { Generation, generationOf, removedEnding } from './generation.ts'
import { bytesPerIdentity } from './identity-filter.ts'
import { atBeginning, type Position } from './position.ts'
import { isHeld } from './slot.ts'

export type StateLimits = {
  /** How long an identity is kept at least, in log time; see keptMicros. */
  keptMicros: number
  /** The most memory that the filters take. */
  filterBytes: number
}

export type StateOptions = StateLimits & {
  /** Told before a store that cannot be read is thrown away. */
  onDamage(cause: unknown): void
}

/** Since the state was opened. */
export type StateUse = {
  /** Identities that were asked for, and those of them that the filters could not rule out. */
  asked: number
  askedStore: number
  /** Claims that were removed because they had expired. */
  expired: number
  /** Memory of the filters. */
  filterBytes: number
}

/** Claims of a generation: of so many a store keeps order with little work, and a horizon of 100 million has a dozen. */
const mostClaims = 1_048_576
/** A generation ends after this part of the time that it is kept: so much longer is the oldest claim kept. */
const spanPart = 8

/**
 * What one partition remembers: identity → claim, and the position that this stands for. Generations one after the other, of
 * which only the newest is written to, so that a commit costs the same however much is remembered, and what has expired goes
 * without being looked for. It is a copy of what the ledger says, so whatever looks wrong with it is thrown away and rebuilt.
 */
export class DeduplicationState {
  readonly #directory: string
  readonly #limits: StateLimits
  readonly #use = { asked: 0, askedStore: 0, expired: 0 }
  readonly #closing = new AbortController()
  readonly #filling: Promise<void>
  /** Oldest first; never empty. */
  #generations: Generation[]
  #position: Position

  constructor(directory: string, generations: Generation[], limits: StateLimits) {
    this.#directory = directory
    this.#limits = limits
    this.#generations = generations
    this.#position = generations.at(-1)?.position ?? atBeginning
    for (const generation of generations) generation.useFilter()
    this.#keepFilters()
    this.#filling = this.#fill(generations)
  }

  get position(): Position {
    return this.#position
  }

  use(): StateUse {
    return { ...this.#use, filterBytes: this.#filterBytes() }
  }

  /** By index; undefined where the identity is unknown. Expired claims are among them: who decides leaves them out. */
  async findClaims(identities: readonly Buffer[]): Promise<(Claim | undefined)[]> {
    const claims = new Array<Claim | undefined>(identities.length).fill(undefined)
    this.#use.asked += identities.length
    const asked = new Set<number>()
    const asking = this.#generations.map((generation) => {
      const places: number[] = []
      for (let place = 0; place < identities.length; place += 1) {
        const identity = identities[place]
        if (identity !== undefined && generation.mayHold(identity)) places.push(place)
      }
      for (const place of places) asked.add(place)
      return { generation, places }
    })
    this.#use.askedStore += asked.size
    await this.#guarded(async () => {
      // Oldest first: what was claimed again after it had expired counts as it stands in the newest.
      for (const { generation, places } of asking) {
        if (places.length === 0) continue
        const found = await generation.find(places.flatMap((place) => identities[place] ?? []))
        for (const [index, place] of places.entries()) claims[place] = found[index] ?? claims[place]
      }
    })
    return claims
  }

  /**
   * All or nothing, also across a power cut, so it waits for the disk: without that the disk may get a later commit and
   * not this one, and the store would open with a position whose claims are not all there. Before it go the generations
   * that have expired by now: nobody may use their claims any more, whether they are there or not.
   */
  async commit(claims: readonly NewClaim[], position: Position): Promise<void> {
    await this.#guarded(async () => {
      await this.#expire(position.logTimeMicros - this.#limits.keptMicros)
      const generation = await this.#generationAt(position.logTimeMicros)
      await generation.commit(claims, position)
    })
    this.#position = position
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#filling
    for (const generation of this.#generations) await generation.close()
  }

  /** Closes it and removes it from the disk. */
  async discard(): Promise<void> {
    await this.close()
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** The one to write to: the newest, or one after it. */
  async #generationAt(logTimeMicros: number): Promise<Generation> {
    const newest = this.#generations.at(-1)
    if (newest === undefined) throw new RangeError('a state has a generation')
    const isOld = logTimeMicros - newest.begunMicros >= this.#limits.keptMicros / spanPart
    if (newest.position === undefined || (newest.claims < mostClaims && !isOld)) return newest
    const next = await Generation.open(this.#directory, newest.number + 1)
    // About as many are expected as came before.
    next.useFilter(Math.min(mostClaims, newest.claims))
    this.#generations.push(next)
    this.#keepFilters()
    return next
  }

  /** Oldest first, so that what a broken-off removal leaves is still one row of generations. */
  async #expire(beforeMicros: number): Promise<void> {
    for (;;) {
      const [oldest, ...others] = this.#generations
      const isExpired = (oldest?.position?.logTimeMicros ?? beforeMicros) < beforeMicros
      if (oldest === undefined || others.length === 0 || !isExpired) return
      this.#generations = others
      this.#use.expired += oldest.claims
      await oldest.discard()
    }
  }

  /** Of the oldest generations the filters go first: what is repeated is mostly repeated soon. */
  #keepFilters(): void {
    const room = mostClaims * bytesPerIdentity
    for (const generation of this.#generations.slice(0, -1)) {
      if (this.#filterBytes() + room <= this.#limits.filterBytes) return
      generation.dropFilter()
    }
  }

  #filterBytes(): number {
    return this.#generations.reduce((sum, { filterBytes }) => sum + filterBytes, 0)
  }

  async #fill(generations: readonly Generation[]): Promise<void> {
    try {
      // What is repeated is mostly repeated soon.
      for (const generation of generations.toReversed())
        if (generation.position !== undefined) await generation.fill(this.#closing.signal)
    } catch {
      // Damage shows where it matters: in what is read for a decision. Until then every question goes to the store.
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
  { onDamage, ...limits }: StateOptions,
): Promise<DeduplicationState> {
  try {
    return new DeduplicationState(directory, await openGenerations(directory), limits)
  } catch (cause) {
    if (isHeld(cause))
      throw new Failure(`the deduplication state in ${directory} is in use by another process`, {
        code: 'state_locked',
        retryable: true,
        cause,
      })
    onDamage(cause)
    await rm(directory, { recursive: true, force: true })
    return new DeduplicationState(directory, await openGenerations(directory), limits)
  }
}

async function openGenerations(directory: string): Promise<Generation[]> {
  await mkdir(directory, { recursive: true })
  const found = await readdir(directory)
  const names = found.filter((name) => !name.endsWith(removedEnding))
  for (const name of found.filter((each) => !names.includes(each)))
    await rm(join(directory, name), { recursive: true, force: true })
  const numbers = names.map(generationOf).sort((a = 0, b = 0) => a - b)
  const first = numbers[0] ?? 0
  if (numbers.some((number, at) => number !== first + at))
    throw new Error(`it holds something else than generations one after the other: ${names.join(', ')}`)
  const opened: Generation[] = []
  try {
    for (let number = first; number < first + Math.max(1, numbers.length); number += 1)
      opened.push(await Generation.open(directory, number))
    // The newest may have been begun and not yet written to.
    const unwritten = opened.length > 1 && opened.at(-1)?.position === undefined ? opened.pop() : undefined
    await unwritten?.discard()
    assertInOrder(opened)
    return opened
  } catch (error) {
    for (const generation of opened) await generation.close()
    throw error
  }
}

/** Each ends where the next begins, or before: otherwise one of them is of another time. */
function assertInOrder(generations: readonly Generation[]): void {
  let before = 0n
  for (const { position } of generations) {
    if (generations.length > 1 && (position === undefined || position.nextOffset < before))
      throw new Error('its generations do not follow one another')
    before = position?.nextOffset ?? before
  }
}
