import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { withSealingLease } from './lease.ts'
import type { PassReport } from './pass.ts'
import type { SealingMetrics } from './sealing-metrics.ts'

export type SealerOptions = {
  readonly pool: Pool
  readonly log: Log
  readonly metrics: SealingMetrics
  /** Time between two passes, and between two attempts to take the lease over. */
  readonly intervalMs: number
  runPass(): Promise<PassReport>
}

/** After a pass that failed; a gap in the ledger or a server that is away is not mended within seconds. */
const longestWaitMs = 30_000

/** Seals for as long as it runs, one process of an installation at a time. */
export function createSealer({ pool, log, metrics, intervalMs, runPass }: SealerOptions): Component {
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let failuresInARow = 0

  async function pass(): Promise<number> {
    const startedAt = performance.now()
    const report = await runPass()
    const seconds = (performance.now() - startedAt) / 1000
    failuresInARow = 0
    metrics.observe(report, seconds)
    if (report.sealedCells > 0)
      log.info({ ...report, ms: Math.round(seconds * 1000) }, 'Hours have been sealed')
    // At least as long as the pass took, so that sealing never takes more than half of the servers' time.
    return report.hasMore ? 0 : Math.max(intervalMs, seconds * 1000)
  }

  const wait = (ms: number): Promise<void> => pause(ms, undefined, { signal: stopped.signal }).catch(() => {})

  async function passes(checkLease: () => Promise<void>): Promise<void> {
    while (!stopped.signal.aborted) {
      await checkLease()
      await wait(await pass())
    }
  }

  function report(error: unknown): number {
    const failure = asFailure(error)
    failuresInARow += 1
    metrics.countFailure(failure.code)
    // A server that is away comes back; anything else needs a person, who is told once and not with every attempt.
    const level = failure.retryable || failuresInARow > 1 ? 'warn' : 'error'
    log[level]({ code: failure.code, err: failure.retryable ? undefined : failure }, 'Sealing has failed')
    return Math.min(longestWaitMs, intervalMs * 2 ** failuresInARow)
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      let waitMs = intervalMs
      try {
        await withSealingLease(pool, passes)
      } catch (error) {
        waitMs = report(error)
      }
      await wait(waitMs)
    }
  }

  return {
    name: 'sealer',
    start() {
      running = run()
    },
    async stop() {
      stopped.abort()
      await running
    },
  }
}
