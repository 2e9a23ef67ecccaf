import { identityKeyBytes } from '@tidemark/schemas/event-identity.ts'
import type { UsageMessage } from '../events/usage-record.ts'
import { entryBytes } from './redis-store.ts'

export type AcknowledgedQueueOptions = {
  /** Rejects where Redis has not taken them. */
  write(entries: Buffer): Promise<void>
  /** Called with counts of events. */
  onRemembered(events: number): void
  /** Redis was away, or slower than what came in: a repeat of them is found in the log. */
  onForgotten(events: number): void
}

export type AcknowledgedQueue = {
  add(messages: readonly UsageMessage[]): void
  /** Forgets what waits: it was acknowledged by another log than the one that is written to next. */
  clear(): void
  /** Resolves when all that was added has been written or forgotten. */
  flush(): Promise<void>
}

/** Redis does nothing else while it writes so many: a little more than a millisecond. */
const entriesPerWrite = 500
/** Two thirds of a second at the highest rates, and less than 2 MB. */
const mostWrites = 100

/** While one write is under way the next ones collect; beyond a bound the newest are forgotten. */
export function createAcknowledgedQueue(options: AcknowledgedQueueOptions): AcknowledgedQueue {
  const full: Buffer[] = []
  let open = Buffer.allocUnsafe(entriesPerWrite * entryBytes)
  let used = 0
  let writing: Promise<void> = Promise.resolve()
  let isWriting = false
  let isScheduled = false

  function next(): Buffer | undefined {
    const first = full.shift()
    if (first !== undefined || used === 0) return first
    const entries = open.subarray(0, used)
    open = Buffer.allocUnsafe(entriesPerWrite * entryBytes)
    used = 0
    return entries
  }

  function start(): void {
    if (isWriting) return
    isWriting = true
    writing = writeAll()
  }

  async function writeAll(): Promise<void> {
    for (let entries = next(); entries !== undefined; entries = next()) {
      const events = entries.length / entryBytes
      try {
        await options.write(entries)
        options.onRemembered(events)
      } catch {
        options.onForgotten(events)
      }
    }
    isWriting = false
  }

  /** After this turn of the event loop: what is acknowledged together is written together. */
  function schedule(): void {
    if (isScheduled || isWriting) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      start()
    })
  }

  return {
    add(messages) {
      let forgotten = 0
      for (const { key, payloadHash } of messages) {
        if (payloadHash === undefined) continue
        if (full.length === mostWrites) {
          forgotten += 1
          continue
        }
        open.set(key, used)
        open.set(payloadHash, used + identityKeyBytes)
        used += entryBytes
        if (used < open.length) continue
        full.push(open)
        open = Buffer.allocUnsafe(entriesPerWrite * entryBytes)
        used = 0
      }
      if (forgotten > 0) options.onForgotten(forgotten)
      schedule()
    },
    clear() {
      const events = (full.length * open.length + used) / entryBytes
      full.length = 0
      used = 0
      if (events > 0) options.onForgotten(events)
    },
    flush() {
      start()
      return writing
    },
  }
}
