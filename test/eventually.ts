import { setTimeout as pause } from 'node:timers/promises'

export type Patience = { timeout: number; interval: number }

/**
 * Asks until the answer is true. It works outside of a test run too, where vitest's own waiting does not.
 * @throws Error that names what was waited for in vain
 */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  { timeout, interval }: Patience,
): Promise<void> {
  const deadline = performance.now() + timeout
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`Waited ${timeout} ms in vain: ${what}`)
    await pause(interval)
  }
}
