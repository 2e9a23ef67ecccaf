import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { Counter, Gauge, Histogram } from 'prom-client'
import type { PassReport } from './pass.ts'

export type SealingMetrics = {
  observe(report: PassReport, seconds: number): void
  countFailure(code: string): void
}

export function createSealingMetrics(metrics: Metrics): SealingMetrics {
  const registers = [metrics]
  const sealed = new Counter({
    name: 'tidemark_sealing_sealed_cells_total',
    help: 'Hours of a tenant and type that have been sealed, again ones included',
    registers,
  })
  const dirty = new Gauge({
    name: 'tidemark_sealing_dirty_cells',
    help: 'Hours that wait to be sealed, those not over included',
    registers,
  })
  const waiting = new Gauge({
    name: 'tidemark_sealing_waiting_cells',
    help: 'Hours that are over and wait to be sealed: backlogs, late events, and meters that are being filled',
    registers,
  })
  const unproved = new Gauge({
    name: 'tidemark_sealing_unproved_cells',
    help: 'Hours of the last pass whose raw events are not those of the ledger',
    registers,
  })
  const failures = new Counter({
    name: 'tidemark_sealing_failures_total',
    help: 'Passes that failed, by code',
    labelNames: ['code'],
    registers,
  })
  const durations = new Histogram({
    name: 'tidemark_sealing_pass_seconds',
    help: 'Duration of sealing passes',
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300],
    registers,
  })
  return {
    observe(report, seconds) {
      sealed.inc(report.sealedCells)
      dirty.set(report.dirtyCells)
      waiting.set(report.waitingCells)
      unproved.set(report.unprovedCells)
      durations.observe(seconds)
    },
    countFailure: (code) => failures.inc({ code }),
  }
}
