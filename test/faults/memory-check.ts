import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Before, a collector that has not yet run looks like growth. */
const leastSamples = 8
const mostGrowth = 1.25
const slackMb = 32

export type MemoryCheck = {
  /** @returns MB resident now. @throws Error where it is far beyond the first quarter of all samples */
  check(): number
}

/** Whether a process keeps growing: what it holds now beside the most that it held in the first quarter of its time. */
export function createMemoryCheck({ pid }: ChildProcess): MemoryCheck {
  const samples: number[] = []
  return {
    check() {
      const now = readResidentMb(pid ?? 0)
      samples.push(now)
      const early = Math.max(...samples.slice(0, Math.ceil(samples.length / 4)))
      if (samples.length >= leastSamples && now > early * mostGrowth + slackMb)
        throw new Error(
          `Memory grows: ${early} MB in the first quarter, ${now} MB now (${samples.join(', ')})`,
        )
      return now
    },
  }
}

const readResidentMb = (pid: number): number =>
  Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024)
