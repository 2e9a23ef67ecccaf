import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StackEnvironment } from '@tidemark/infra/stack/environment.ts'
import { finish, heading, seconds, status } from '../demonstration/print.ts'
import { createRandom } from '../demonstration/random.ts'
import type { Fault, FaultRoom, Strike } from './fault.ts'
import { openFinishedStrikes } from './finished-strikes.ts'
import { describeCounts, isSound } from './report.ts'

export type SeriesOptions = {
  name: string
  fault: Fault
  /** Strikes in all, those of earlier runs included. */
  wanted: number
  seed: number
  /** Where the finished strikes, and what runs now, are kept. */
  folder: string
  /** Begin anew. */
  again: boolean
  stack(): Promise<StackEnvironment>
  /** Told of each room, so that whoever is interrupted can close it. */
  onRoom(room: FaultRoom | undefined): void
}

export type Series = { strikes: Strike[]; isFinished: boolean }

/** Strikes as often as is still missing. Ends at a strike that cannot be finished: the room is not well any more. */
export async function runSeries(options: SeriesOptions): Promise<Series> {
  const { name, fault, wanted, seed, folder } = options
  const store = openFinishedStrikes(folder, name, seed)
  if (options.again) await store.forget()
  const found = await store.read()
  const numbers = Array.from({ length: wanted }, (_, at) => at + 1)
  const missing = numbers.filter((number) => !found.has(number))
  heading(`${name}: ${fault.about}`)
  if (missing.length < wanted) finish('✔', `${wanted - missing.length} of ${wanted} were finished before`)
  try {
    await strikeAll(missing, options, async (number, strike, tookMs) => {
      found.set(number, strike)
      await store.add(number, strike)
      finish(isSound(strike) ? '✔' : '✘', `${number}/${wanted} (${seconds(tookMs)}) ${describe(strike)}`)
    })
  } catch (error) {
    finish('✘', error instanceof Error ? error.message : String(error))
  }
  const strikes = numbers.flatMap((number) => found.get(number) ?? [])
  return { strikes, isFinished: strikes.length === wanted }
}

async function strikeAll(
  numbers: readonly number[],
  { name, fault, seed, folder, stack, onRoom }: SeriesOptions,
  done: (number: number, strike: Strike, tookMs: number) => Promise<void>,
): Promise<void> {
  if (numbers.length === 0) return
  // Its logs stay where it did not end well.
  const directory = join(folder, `${name}-now`)
  await rm(directory, { recursive: true, force: true })
  const environment = await stack()
  status('an installation of its own')
  const room = await fault.open({ stack: environment, directory })
  onRoom(room)
  try {
    for (const number of numbers) {
      status(`strike ${number}`)
      const from = performance.now()
      const strike = await room.strike(createRandom(seed * 100_000 + number))
      await done(number, strike, performance.now() - from)
    }
  } finally {
    onRoom(undefined)
    await room.close()
  }
  await rm(directory, { recursive: true, force: true })
}

function describe({ lost, doubled, centsOff, recoveryMs, counts }: Strike): string {
  const verdict = `lost ${lost}, doubled ${doubled}, cents off ${centsOff}; `
  const sound = isSound({ lost, doubled, centsOff })
  return `${sound ? '' : verdict}recovered in ${seconds(recoveryMs)}; ${describeCounts(counts)}`
}
