import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Claim } from './claim.ts'
import { takeSlot } from './slot.ts'
import { openState } from './state.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-state-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const identity = (fill: number) => Buffer.alloc(20, fill)
const claim: Claim = {
  first: { log: 1, partition: 3, offset: 9_007_199_254_740_991n },
  payloadHash: Buffer.alloc(16, 5),
  hourSeconds: 4_294_965_600,
  logTimeMicros: 1_795_219_200_123_456,
  revision: 7,
}
const position = {
  nextOffset: 42n,
  logTimeMicros: 1_795_219_200_123_456,
  last: { offset: 41n, identity: identity(1), appendTimeMicros: 1_795_219_200_000_000 },
}
const noDamage = (cause: unknown): never => {
  throw cause
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

test('a store that cannot be opened is thrown away and told', async () => {
  const path = join(directory, 'damaged')
  const state = await openState(path, noDamage)
  await state.commit([{ identity: identity(1), claim }], position)
  await state.close()
  for (const name of await readdir(path))
    if (name.startsWith('MANIFEST')) await writeFile(join(path, name), 'torn')
  const told: unknown[] = []
  const rebuilt = await openState(path, (cause) => told.push(cause))
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
