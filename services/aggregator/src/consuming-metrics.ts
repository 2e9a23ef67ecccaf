import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { Counter, Gauge, Histogram } from 'prom-client'

export type ConsumingMetrics = {
  records: Counter<'verdict'>
  rejections: Counter<'code'>
  batchRows: Histogram
  stepSeconds: Histogram<'step'>
  lag: Gauge<'partition'>
  registryWaits: Counter<'code'>
  ledgerQuestions: Counter
  ledgerGaps: Counter
  oversizeRejections: Counter
  staleBatches: Counter
  stops: Counter<'code'>
}

export function createConsumingMetrics(metrics: Metrics): ConsumingMetrics {
  const registers = [metrics]
  return {
    records: new Counter({
      name: 'tidemark_aggregator_records_total',
      help: 'Records whose ledger rows are written, by verdict',
      labelNames: ['verdict'],
      registers,
    }),
    rejections: new Counter({
      name: 'tidemark_aggregator_rejections_total',
      help: 'Rejected records by reason code',
      labelNames: ['code'],
      registers,
    }),
    batchRows: new Histogram({
      name: 'tidemark_aggregator_batch_rows',
      help: 'Records of one batch',
      buckets: [1, 10, 100, 1_000, 5_000, 10_000, 20_000, 50_000, 100_000],
      registers,
    }),
    stepSeconds: new Histogram({
      name: 'tidemark_aggregator_step_seconds',
      help: 'Duration of the steps of a batch',
      labelNames: ['step'],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    lag: new Gauge({
      name: 'tidemark_aggregator_lag_records',
      help: 'Records of a partition that were in the log when its last batch was fetched and are not yet processed',
      labelNames: ['partition'],
      registers,
    }),
    registryWaits: new Counter({
      name: 'tidemark_aggregator_registry_waits_total',
      help: 'Attempts to fetch a schema that failed; the partition waits',
      labelNames: ['code'],
      registers,
    }),
    ledgerQuestions: new Counter({
      name: 'tidemark_aggregator_ledger_questions_total',
      help: 'Identities that the ledger was asked for: of events older than the horizon, and of corrections',
      registers,
    }),
    oversizeRejections: new Counter({
      name: 'tidemark_aggregator_oversize_rejections_total',
      help: 'Rejected records too large to be kept whole on usage.rejected; of their bytes only the first are there',
      registers,
    }),
    staleBatches: new Counter({
      name: 'tidemark_aggregator_stale_batches_total',
      help: 'Batches that were written after their partition may have been taken over; the rows are the same',
      registers,
    }),
    stops: new Counter({
      name: 'tidemark_aggregator_stops_total',
      help: 'Failures that end the process, by code: offset_gap, log_rewound, another_log and others',
      labelNames: ['code'],
      registers,
    }),
    ledgerGaps: new Counter({
      name: 'tidemark_aggregator_ledger_gaps_total',
      help: 'Gaps of the ledger found when a partition was opened',
      registers,
    }),
  }
}
