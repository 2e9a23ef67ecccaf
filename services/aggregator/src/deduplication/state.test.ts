import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Claim } from './claim.ts'
import { takeSlot } from './slot.ts'
import { type DeduplicationState, openState } from './state.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-state-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const identity = (fill: number) => Buffer.alloc(20, fill)
/** As identities are: a tenant's number, then what looks random. */
const numbered = (at: number) =>
  Buffer.concat([Buffer.from([0, 0, 0, 1]), createHash('md5').update(`${at}`).digest()])
const claim: Claim = {
  first: { log: 1, partition: 3, offset: 9_007_199_254_740_991n },
  payloadHash: Buffer.alloc(16, 5),
  logTimeMicros: 1_795_219_200_123_456,
}
const position = {
  nextOffset: 42n,
  logTimeMicros: 1_795_219_200_123_456,
  last: { offset: 41n, identity: identity(1), appendTimeMicros: 1_795_219_200_000_000 },
}
const keptMicros = 41 * 86_400_000_000
const noDamage = {
  keptMicros,
  filterBytes: 1_048_576,
  onDamage(cause: unknown): never {
    throw cause
  },
}

test('claims and position come back as they were committed', async () => {
  const path = join(directory, 'kept')
  const state = await openState(path, noDamage)
  expect(state.position).toEqual({ nextOffset: 0n, logTimeMicros: 0, last: undefined })
  await state.commit([{ identity: identity(1), claim }], position)
  await state.close()
  const again = await openState(path, noDamage)
  expect(again.position).toEqual(position)
  expect(await again.findClaims([identity(2), identity(1)])).toEqual([undefined, claim])
  await again.close()
})

test('an identity that was never committed is told from memory; what was there before is found after a restart', async () => {
  const path = join(directory, 'filtered')
  const state = await openState(path, noDamage)
  const many = Array.from({ length: 30_000 }, (_, at) => numbered(at))
  await state.commit(
    many.map((each) => ({ identity: each, claim })),
    position,
  )
  expect(await state.findClaims([identity(2)])).toEqual([undefined])
  expect(state.use()).toMatchObject({ asked: 1, askedStore: 0 })
  await state.close()
  const again = await openState(path, noDamage)
  const found = await again.findClaims([...many, identity(2)])
  expect(found.filter((each) => each !== undefined)).toHaveLength(many.length)
  await vi.waitFor(async () => {
    const { askedStore } = again.use()
    expect(await again.findClaims([identity(2)])).toEqual([undefined])
    expect(again.use().askedStore).toBe(askedStore)
  })
  expect((await again.findClaims(many)).every((each) => each !== undefined)).toBe(true)
  await again.close()
})

test('claims go when they have expired in log time; one that was made again stays', async () => {
  const state = await openState(join(directory, 'expiring'), noDamage)
  const at = (days: number, nextOffset: bigint) => {
    const logTimeMicros = position.logTimeMicros + days * 86_400_000_000
    return { claim: { ...claim, logTimeMicros }, position: { ...position, nextOffset, logTimeMicros } }
  }
  const commit = async (days: number, nextOffset: bigint, fills: number[]) => {
    const { claim: made, position: end } = at(days, nextOffset)
    await state.commit(
      fills.map((fill) => ({ identity: identity(fill), claim: made })),
      end,
    )
  }
  await commit(0, 2n, [1, 2])
  await commit(20, 3n, [2])
  await commit(41, 4n, [3])
  expect(state.use().expired).toBe(0)
  await commit(42, 5n, [])
  // With what was made again since then: that stands in a later generation.
  expect(state.use().expired).toBe(2)
  const found = await state.findClaims([identity(1), identity(2), identity(3)])
  expect(found).toEqual([undefined, at(20, 3n).claim, at(41, 4n).claim])
  // Made again in the very commit that removes it.
  await commit(62, 6n, [2])
  expect(await state.findClaims([identity(2)])).toEqual([at(62, 6n).claim])
  await state.close()
})

test('generations outlive a restart, whatever was broken off, and a hole among them is damage', async () => {
  const path = join(directory, 'generations')
  const dayMicros = 86_400_000_000
  const commit = async (state: DeduplicationState, day: number, fill: number) => {
    const logTimeMicros = position.logTimeMicros + day * dayMicros
    const end = { ...position, nextOffset: BigInt(100 + day), logTimeMicros }
    await state.commit([{ identity: identity(fill), claim: { ...claim, logTimeMicros } }], end)
  }
  const state = await openState(path, noDamage)
  for (const day of [0, 3, 6, 12, 18]) await commit(state, day, day + 1)
  await state.close()
  expect(await readdir(path)).toEqual(['g-00000000', 'g-00000001', 'g-00000002', 'g-00000003'])
  // Begun and not written to; and a removal that broke off.
  await mkdir(join(path, 'g-00000004'))
  await mkdir(join(path, 'g-00000009.removed'))
  const again = await openState(path, noDamage)
  expect(again.position.nextOffset).toBe(118n)
  const asked = [1, 4, 7, 13, 19, 20].map(identity)
  const known = async (opened: DeduplicationState) =>
    (await opened.findClaims(asked)).map((each) => each !== undefined)
  expect(await known(again)).toEqual([true, true, true, true, true, false])
  // Days 0 and 3 lie in one generation, which goes with the later of them.
  await commit(again, 43, 44)
  expect(await known(again)).toEqual([true, true, true, true, true, false])
  await commit(again, 45, 46)
  expect(await known(again)).toEqual([false, false, true, true, true, false])
  await again.close()
  expect(await readdir(path)).toEqual(['g-00000001', 'g-00000002', 'g-00000003', 'g-00000004'])
  await rm(join(path, 'g-00000002'), { recursive: true })
  const told: unknown[] = []
  const rebuilt = await openState(path, { ...noDamage, onDamage: (cause) => told.push(cause) })
  expect(told).toHaveLength(1)
  expect(rebuilt.position.nextOffset).toBe(0n)
  await rebuilt.close()
})

test('filters that take too much memory go, the oldest first, and nothing else', async () => {
  const state = await openState(join(directory, 'bounded'), { ...noDamage, filterBytes: 1 })
  for (const day of [0, 10, 20]) {
    const logTimeMicros = position.logTimeMicros + day * 86_400_000_000
    const end = { ...position, nextOffset: BigInt(day + 1), logTimeMicros }
    await state.commit([{ identity: identity(day + 1), claim: { ...claim, logTimeMicros } }], end)
  }
  expect(await state.findClaims([identity(9), identity(1)])).toEqual([undefined, claim])
  // Only the generation that is written to has one.
  expect(state.use()).toMatchObject({ asked: 2, askedStore: 2, filterBytes: 24_576 })
  await state.close()
})

test('a commit waits for the disk: a power cut must not take one and leave the next', async () => {
  const state = await openState(join(directory, 'synced'), noDamage)
  const other = new ClassicLevel(join(directory, 'other'))
  await other.open()
  const written = vi.spyOn(Object.getPrototypeOf(Object.getPrototypeOf(other.batch())), 'write')
  try {
    await state.commit([{ identity: identity(1), claim }], position)
    expect(written.mock.calls).toEqual([[{ sync: true }]])
  } finally {
    written.mockRestore()
    await other.close()
    await state.close()
  }
})

test('a store that cannot be opened is thrown away and told', async () => {
  const path = join(directory, 'damaged')
  const state = await openState(path, noDamage)
  await state.commit([{ identity: identity(1), claim }], position)
  await state.close()
  const generation = join(path, 'g-00000000')
  for (const name of await readdir(generation))
    if (name.startsWith('MANIFEST')) await writeFile(join(generation, name), 'torn')
  const told: unknown[] = []
  const rebuilt = await openState(path, {
    keptMicros,
    filterBytes: 1_048_576,
    onDamage: (cause) => told.push(cause),
  })
  expect(told).toHaveLength(1)
  expect(rebuilt.position.nextOffset).toBe(0n)
  expect(await rebuilt.findClaims([identity(1)])).toEqual([undefined])
  await rebuilt.close()
})

test('a store in use is never thrown away', async () => {
  const path = join(directory, 'used')
  const state = await openState(path, noDamage)
  await expect(openState(path, noDamage)).rejects.toMatchObject({ code: 'state_locked', retryable: true })
  await state.close()
})

test('two processes take two slots, and one that is given back is taken again', async () => {
  const first = await takeSlot(directory, 't-', 1)
  const second = await takeSlot(directory, 't-', 1)
  expect(first.directoryOf(3)).toBe(join(directory, 't-log-1', 'slot-0', 'p-3'))
  expect(second.directoryOf(3)).toBe(join(directory, 't-log-1', 'slot-1', 'p-3'))
  await first.release()
  const third = await takeSlot(directory, 't-', 1)
  expect(third.directoryOf(0)).toBe(join(directory, 't-log-1', 'slot-0', 'p-0'))
  await third.release()
  await second.release()
})
