import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { Counter, Gauge } from 'prom-client'
import { differenceKinds } from './difference.ts'
import type { CheckReport } from './report.ts'

export type CheckMetrics = {
  /** A difference counts from the moment when it is seen, and until a whole round has not seen it. */
  seen(report: CheckReport, roundIsOver: boolean): void
  finished(checkedUntilMicros: number, seconds: number): void
  countSlice(): void
  countFailure(code: string): void
}

export function createCheckMetrics(metrics: Metrics): CheckMetrics {
  const registers = [metrics]
  const differences = new Gauge({
    name: 'tidemark_ledger_check_differences',
    help: 'Differences between the log, the ledger, its copies, raw events and sealed hours, by kind; anything above zero needs a person',
    labelNames: ['kind'],
    registers,
  })
  const until = new Gauge({
    name: 'tidemark_ledger_check_until_seconds',
    help: 'Everything acknowledged before this instant (seconds since 1970) has been proved by the last complete round; 0: none yet by this process',
    registers,
  })
  const round = new Gauge({
    name: 'tidemark_ledger_check_round_seconds',
    help: 'How long the last complete round took',
    registers,
  })
  const slices = new Counter({
    name: 'tidemark_ledger_check_slices_total',
    help: 'Slices that have been checked',
    registers,
  })
  const failures = new Counter({
    name: 'tidemark_ledger_check_failures_total',
    help: 'Rounds that could not be finished, by code',
    labelNames: ['code'],
    registers,
  })
  for (const kind of differenceKinds) differences.set({ kind }, 0)
  const last = new Map<string, number>()
  return {
    seen({ counts }, roundIsOver) {
      for (const kind of differenceKinds) {
        const now = counts.get(kind) ?? 0
        if (roundIsOver) last.set(kind, now)
        differences.set({ kind }, Math.max(now, last.get(kind) ?? 0))
      }
    },
    finished(checkedUntilMicros, seconds) {
      until.set(checkedUntilMicros / 1_000_000)
      round.set(seconds)
    },
    countSlice: () => slices.inc(),
    countFailure: (code) => failures.inc({ code }),
  }
}
