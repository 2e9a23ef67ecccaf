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

/** Redis does nothing else while it writes so many: a millisecond or two. */
const entriesPerWrite = 500
/** As much as many large requests bring in one turn of the event loop, in which no write could be answered. */
const mostUnderWay = 16
/** Two thirds of a second at the highest rates, and less than 2 MB. */
const mostWaiting = 100

/**
 * Full writes go out at once, up to a bound; what does not fill one waits until none is under way, so that writes grow
 * with the load. Beyond a second bound the newest are forgotten.
 */
export function createAcknowledgedQueue(options: AcknowledgedQueueOptions): AcknowledgedQueue {
  const full: Buffer[] = []
  let open = Buffer.allocUnsafe(entriesPerWrite * entryBytes)
  let used = 0
  const underWay = new Set<Promise<void>>()
  let isScheduled = false

  function pump(): void {
    while (full.length > 0 && underWay.size < mostUnderWay) send(full.shift())
    if (used === 0 || underWay.size > 0) return
    send(open.subarray(0, used))
    open = Buffer.allocUnsafe(entriesPerWrite * entryBytes)
    used = 0
  }

  function send(entries: Buffer | undefined): void {
    if (entries === undefined) return
    const events = entries.length / entryBytes
    const written = options
      .write(entries)
      .then(
        () => options.onRemembered(events),
        () => options.onForgotten(events),
      )
      .then(() => {
        underWay.delete(written)
        pump()
      })
    underWay.add(written)
  }

  /** After this turn of the event loop: what is acknowledged together is written together. */
  function schedule(): void {
    if (isScheduled) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      pump()
    })
  }

  return {
    add(messages) {
      let forgotten = 0
      for (const { key, payloadHash } of messages) {
        if (payloadHash === undefined) continue
        if (full.length === mostWaiting) {
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
    async flush() {
      pump()
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
