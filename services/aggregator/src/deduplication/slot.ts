import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { ClassicLevel } from 'classic-level'

/** One process's place for its state: two processes on a machine never open the same files. */
export type StateSlot = {
  directoryOf(partition: number): string
  release(): Promise<void>
}

// More processes of one installation on one machine than this are a mistake.
const mostSlots = 64

/**
 * Takes the first slot that no living process holds, so that a process that comes back finds its state again. The lock
 * is the store's own, held by the operating system: a process killed with -9 gives it back too.
 */
export async function takeSlot(stateDirectory: string, prefix: string, log: number): Promise<StateSlot> {
  for (let number = 0; number < mostSlots; number += 1) {
    const directory = join(stateDirectory, `${prefix}log-${log}`, `slot-${number}`)
    await mkdir(directory, { recursive: true })
    const lock = new ClassicLevel(join(directory, 'lock'))
    try {
      await lock.open()
    } catch (error) {
      if (isHeld(error)) continue
      throw new Failure(`the state directory ${directory} cannot be used: is it writable?`, {
        code: 'state_directory_unusable',
        retryable: false,
        cause: error,
      })
    }
    return {
      directoryOf: (partition) => join(directory, `p-${partition}`),
      release: () => lock.close(),
    }
  }
  throw new Failure(`${mostSlots} processes hold all slots of ${stateDirectory}`, {
    code: 'state_slots_taken',
    retryable: false,
  })
}

/** True where another process (or another service in this one) has the store open. */
export function isHeld(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && at.code === 'LEVEL_LOCKED') return true
  }
  return false
}
