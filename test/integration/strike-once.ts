import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject } from 'vitest'
import { createRandom } from '../demonstration/random.ts'
import type { Fault } from '../faults/fault.ts'

/** A fault of `npm run faults`, once, with a fixed seed. */
export async function strikeOnce({ open }: Fault): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-fault-'))
  try {
    const room = await open({ stack: inject('stackEnvironment'), directory })
    try {
      const strike = await room.strike(createRandom(1))
      expect(strike).toMatchObject({ lost: 0, doubled: 0, centsOff: 0 })
    } finally {
      await room.close()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
