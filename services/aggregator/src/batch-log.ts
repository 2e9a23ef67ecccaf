import type { Log } from '@tidemark/infra/process/log.ts'
import type { ConsumingMetrics } from './consuming-metrics.ts'
import type { Decision, Verdict } from './deduplication/decide.ts'

/** Durations of one batch's steps. */
export type StepTimes = { end(step: string): void; readonly durationsMs: Readonly<Record<string, number>> }

export type BatchLog = {
  begin(): StepTimes
  done(partition: number, decisions: readonly Decision[], lag: bigint, took: StepTimes): void
}

/** One line per batch, at most one of them per second at level info, and the same in metrics. */
export function createBatchLog(logger: Log, metrics: ConsumingMetrics): BatchLog {
  let toldAtMs = 0
  let toldRejectionsAtMs = Number.NEGATIVE_INFINITY

  /** At most one line a second: whoever sends nonsense must not fill the log as well. */
  function tellRejections(partition: number, decisions: readonly Decision[]): void {
    const rejected = decisions.filter(({ rejection }) => rejection !== undefined)
    const [first] = rejected
    const now = performance.now()
    if (first?.rejection === undefined || now - toldRejectionsAtMs < 1_000) return
    toldRejectionsAtMs = now
    const { code, reason } = first.rejection
    logger.warn(
      { partition, offset: Number(first.record.offset), rejected: rejected.length, code, reason },
      'records are rejected; they are kept on usage.rejected',
    )
  }

  return {
    begin() {
      const durationsMs: Record<string, number> = {}
      let startedAt = performance.now()
      return {
        durationsMs,
        end(step) {
          const now = performance.now()
          metrics.stepSeconds.observe({ step }, (now - startedAt) / 1000)
          durationsMs[step] = Math.round(now - startedAt)
          startedAt = now
        },
      }
    },
    done(partition, decisions, lag, { durationsMs }) {
      const counts = countVerdicts(decisions)
      for (const [verdict, count] of Object.entries(counts)) metrics.records.inc({ verdict }, count)
      for (const { rejection } of decisions) if (rejection) metrics.rejections.inc({ code: rejection.code })
      tellRejections(partition, decisions)
      metrics.batchRows.observe(decisions.length)
      metrics.lag.set({ partition }, Number(lag))
      const now = performance.now()
      const level = now - toldAtMs >= 1_000 ? 'info' : 'debug'
      if (level === 'info') toldAtMs = now
      logger[level](
        { partition, records: decisions.length, ...counts, lag: Number(lag), durationsMs },
        'batch',
      )
    },
  }
}

function countVerdicts(decisions: readonly Decision[]): Record<Verdict, number> {
  const counts = { accepted: 0, duplicate: 0, conflict: 0, correction: 0, rejected: 0 }
  for (const { verdict } of decisions) counts[verdict] += 1
  return counts
}
