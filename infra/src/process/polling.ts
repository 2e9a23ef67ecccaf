import { setTimeout as pause } from 'node:timers/promises'
import type { Component } from './lifecycle.ts'

/**
 * Looks again and again at what may change, one look at a time; the first is over when it has started. What to do where
 * a look fails is for the look to say: it must not reject.
 */
export function createPolling(
  intervalMs: number,
  look: () => Promise<void>,
): Pick<Component, 'start' | 'stop'> {
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      await pause(intervalMs, undefined, { signal: stopped.signal }).catch(() => {})
      if (!stopped.signal.aborted) await look()
    }
  }

  return {
    async start() {
      await look()
      running = run()
    },
    async stop() {
      stopped.abort()
      await running
    },
  }
}
