import type { StackEnvironment } from '@tidemark/infra/stack/environment.ts'
import type { Random } from '../demonstration/random.ts'

export type FaultContext = {
  /** The servers that all faults share; a fault that hurts a server starts one of its own. */
  stack: StackEnvironment
  /** A folder of this fault's own for logs and data; it is gone afterwards. */
  directory: string
}

/** What one blow did. Everything but `recoveryMs` and `counts` is zero, or Tidemark is broken. */
export type Strike = {
  /** Acknowledged and not there. */
  lost: number
  /** There more than once in a way that a bill would count, or without a reason: each fault says which. */
  doubled: number
  /** Quantities that are not what was sent, at a cent a unit. */
  centsOff: number
  /** From the moment that the fault names to the first success after it. */
  recoveryMs: number
  /** What was looked at, for people. */
  counts: Record<string, number>
}

export type FaultRoom = {
  /** Hurts, waits until all is well again, and looks at everything. @throws Error where it does not become well */
  strike(random: Random): Promise<Strike>
  close(): Promise<void>
}

export type Fault = {
  about: string
  /** How often `npm run faults` strikes; `npm test` does it once. */
  strikes: number
  open(context: FaultContext): Promise<FaultRoom>
}
