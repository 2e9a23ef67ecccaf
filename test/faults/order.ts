import { parseArgs } from 'node:util'

export type FaultsOrder = {
  /** Undefined: all of them. */
  name: string | undefined
  /** Undefined: as often as each fault says. */
  iterations: number | undefined
  seed: number
  again: boolean
}

/** What a command line asks for, or what is wrong with it. */
export function readOrder(args: readonly string[], names: readonly string[]): FaultsOrder | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        iterations: { type: 'string' },
        seed: { type: 'string', default: '1' },
        again: { type: 'boolean', default: false },
      },
    })
    const [name, ...more] = positionals
    if (more.length > 0 || (name !== undefined && !names.includes(name)))
      return `There is no fault "${positionals.join(' ')}".`
    const iterations = values.iterations === undefined ? undefined : readWhole(values.iterations)
    if (Number.isNaN(iterations)) return '--iterations takes a whole number from 1 to 100000.'
    const seed = readWhole(values.seed)
    if (Number.isNaN(seed)) return '--seed takes a whole number from 1 to 100000.'
    return { name, iterations, seed, again: values.again }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function readWhole(text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  return value >= 1 && value <= 100_000 ? value : Number.NaN
}
