import { asFailure } from '@tidemark/infra/process/failure.ts'
import { type TakenAttempt, takeDueAttempt } from './attempt-store.ts'
import { claimDueInvoices } from './claim.ts'
import { type ResolveDeps, resolveAttempt } from './resolve.ts'

export type CollectorOptions = ResolveDeps & {
  /** Off: only what has begun is brought to its end. */
  collectsOpenInvoices: boolean
  concurrency: number
  /** How long a taken attempt stays ours; longer than asking and charging together may take. */
  leaseMs: number
}

export type Collector = {
  /** Stores attempts for due invoices and works on every due attempt; resolves with how many it worked on. */
  round(): Promise<number>
  /** Works on one attempt at once, if it is due. */
  resolve(attemptId: string): Promise<void>
  /** Lets a round end after the attempts under way. */
  stop(): void
}

/** Invoices for which attempts are stored before the first of them is worked on; bounds one transaction. */
const claimMost = 200

export function createCollector(options: CollectorOptions): Collector {
  const { pool, clock, log } = options
  let stopped = false

  function take(id?: string): Promise<TakenAttempt | undefined> {
    const at = clock.nowMicros()
    const leaseUntil = at + options.leaseMs * 1_000
    return takeDueAttempt(pool, { at, leaseUntil, ...(id === undefined ? {} : { id }) })
  }

  /** Works until nothing is due; one attempt that meets a fault of the database does not hold up the others. */
  async function work(first: TakenAttempt | undefined): Promise<number> {
    let worked = 0
    for (let taken = first; taken; taken = stopped ? undefined : await take()) {
      worked += 1
      const { attempt } = taken
      await resolveAttempt(options, taken).catch((error: unknown) => {
        log.warn({ err: asFailure(error), attempt: attempt.id }, 'A payment attempt is left to its lease')
      })
    }
    return worked
  }

  return {
    async round() {
      if (options.collectsOpenInvoices) await claimDueInvoices(pool, claimMost, clock.nowMicros())
      const first = await take()
      // Most rounds find nothing: one question says so.
      if (!first) return 0
      const others = Array.from({ length: options.concurrency - 1 }, async () => work(await take()))
      const worked = await Promise.all([work(first), ...others])
      return worked.reduce((sum, count) => sum + count, 0)
    },
    async resolve(attemptId) {
      const taken = await take(attemptId)
      if (taken) await resolveAttempt(options, taken)
    },
    stop() {
      stopped = true
    },
  }
}
