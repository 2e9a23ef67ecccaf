import { asFailure } from './failure.ts'
import type { Component } from './lifecycle.ts'
import type { Log } from './log.ts'

export type RepetitionOptions = {
  name: string
  intervalMs: number
  log: Log
  /** One round; a number above zero asks for the next round at once. */
  run(): Promise<number>
  onFatal(error: unknown): void
}

/** Runs a round again and again, one at a time. What can be retried is retried at the next round. */
export function repeat({ name, intervalMs, log, run, onFatal }: RepetitionOptions): Component {
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()
  let stopped = false

  const next = (delayMs: number) => {
    if (!stopped) timer = setTimeout(() => (round = once()), delayMs)
  }
  async function once(): Promise<void> {
    try {
      next((await run()) > 0 ? 0 : intervalMs)
    } catch (error) {
      const failure = asFailure(error)
      if (!failure.retryable) return onFatal(failure)
      log.warn({ err: failure }, `${name} could not run and tries again`)
      next(intervalMs)
    }
  }
  return {
    name,
    start: () => next(0),
    async stop() {
      stopped = true
      clearTimeout(timer)
      await round
    },
  }
}
