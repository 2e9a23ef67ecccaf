import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Strike } from './fault.ts'

const schema = Type.Object({
  seed: Type.Integer(),
  number: Type.Integer(),
  strike: Type.Object({
    lost: Type.Number(),
    doubled: Type.Number(),
    centsOff: Type.Number(),
    recoveryMs: Type.Number(),
    counts: Type.Record(Type.String(), Type.Number()),
  }),
})

export type FinishedStrikes = {
  /** By their number from 1, those of this seed. */
  read(): Promise<Map<number, Strike>>
  add(number: number, strike: Strike): Promise<void>
  forget(): Promise<void>
}

/**
 * What a run has finished outlives it, so that a run that is broken off goes on where it was. A strike that ended badly
 * stays as it was found; one that could not be finished is not kept.
 */
export function openFinishedStrikes(folder: string, name: string, seed: number): FinishedStrikes {
  const file = join(folder, `${name}.jsonl`)
  return {
    async read() {
      const found = new Map<number, Strike>()
      for (const text of (await readFile(file, 'utf8').catch(() => '')).split('\n')) {
        const entry = parse(text)
        if (Value.Check(schema, entry) && entry.seed === seed) found.set(entry.number, entry.strike)
      }
      return found
    },
    async add(number, strike) {
      await mkdir(dirname(file), { recursive: true })
      await appendFile(file, `${JSON.stringify({ seed, number, strike })}\n`)
    },
    forget: () => rm(file, { force: true }),
  }
}

/** A line that a kill has cut short is as if it had not been. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
