import { setTimeout as pause } from 'node:timers/promises'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { asFailure, Failure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { readKeptFrom } from '../../retention/expire.ts'
import { checkingLease, withLease } from '../../sealing/lease.ts'
import { processedUntil, type Watermarks } from '../../usage/watermarks.ts'
import { readMarks } from '../rebuild/rebuilt-tables.ts'
import { checkLedger, emptyTotals } from './check.ts'
import type { CheckMetrics } from './check-metrics.ts'
import { createCheckReport } from './report.ts'

export type CheckerOptions = {
  readonly clickHouse: ClickHouse
  readonly pool: Pool
  readonly log: Log
  readonly metrics: CheckMetrics
  readonly pauseMs: number
  readonly roundMs: number
  readMeters(): Promise<readonly MeterVersion[]>
  readWatermarks(): Promise<Watermarks>
}

/** After a slice it rests so many times as long as the slice took. */
const restFactor = 20
const namedPerRound = 5
const retryMs = 30_000

/**
 * The check of `npm run ledger -- check`, without end: one process of an installation at a time, one slice after the
 * other with rests between them. It reads only; what it finds is a line at level error and a gauge that stays.
 */
export function createChecker(options: CheckerOptions): Component {
  const { clickHouse, pool, log, metrics } = options
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const wait = (ms: number): Promise<void> => pause(ms, undefined, { signal: stopped.signal }).catch(() => {})

  const restMs = (tookMs: number): number =>
    options.pauseMs === 0 ? 0 : Math.max(options.pauseMs, restFactor * tookMs)

  async function round(checkLease: () => Promise<void>): Promise<void> {
    const startedAt = performance.now()
    const watermarks = await options.readWatermarks()
    const { cut } = watermarks
    const totals = emptyTotals(cut)
    const report = createCheckReport(namedPerRound)
    const fromHour = await readKeptFrom(clickHouse)
    const scope = { cut, tenant: undefined, fromHour, toHour: undefined, payloads: true }
    let sliceAt = performance.now()
    for await (const { part, differences } of checkLedger(
      { clickHouse, readMeters: options.readMeters },
      scope,
      totals,
    )) {
      if (differences.length > 0) await assertNotSwapping(clickHouse)
      const known = report.first.length
      report.add(differences)
      for (const { kind, text, remedy } of report.first.slice(known))
        log.error({ kind, part, remedy }, `The tables of usage differ: ${text}`)
      if (differences.length > 0) metrics.seen(report, false)
      metrics.countSlice()
      await wait(restMs(performance.now() - sliceAt))
      if (stopped.signal.aborted) return
      await checkLease()
      sliceAt = performance.now()
    }
    metrics.seen(report, true)
    const seconds = (performance.now() - startedAt) / 1000
    const until = processedUntil(watermarks)
    metrics.finished(until, seconds)
    log.info(
      {
        offsets: Number(totals.offsets),
        rawEvents: Number(totals.raw),
        sealedHours: Number(totals.sealedHours),
        differences: report.total(),
        until: formatInstant(until),
        seconds: Math.round(seconds),
      },
      'The tables of usage have been checked',
    )
    await wait(options.roundMs - seconds * 1000)
  }

  async function rounds(checkLease: () => Promise<void>): Promise<void> {
    while (!stopped.signal.aborted) await round(checkLease)
  }

  async function run(): Promise<void> {
    // What starts has better things to do.
    await wait(options.pauseMs)
    while (!stopped.signal.aborted) {
      try {
        await withLease(pool, checkingLease, rounds)
      } catch (error) {
        const { code, message } = asFailure(error)
        metrics.countFailure(code)
        // A proof that cannot be made is no difference; whether the servers answer is judged where events are written.
        log.warn({ code, reason: message }, 'The check of the tables broke off and begins anew')
      }
      await wait(Math.max(options.pauseMs, Math.min(retryMs, options.roundMs)))
    }
  }

  return {
    name: 'checker',
    start() {
      running = run()
    },
    async stop() {
      stopped.abort()
      await running
    },
  }
}

/** While tables are swapped, the newest rows can be missing for a moment: what was seen then proves nothing. */
async function assertNotSwapping(clickHouse: ClickHouse): Promise<void> {
  if ((await readMarks(clickHouse)).inUse.length === 0) return
  throw new Failure('a rebuild swaps the tables', { code: 'rebuild_under_way', retryable: true })
}
