import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { Counter } from 'prom-client'

/** `unasked`: Redis was away or late, or the event is a correction. */
export type Answer = 'duplicate' | 'possible_conflict' | 'unknown' | 'unasked'

export type MemoryMetrics = {
  answered(answer: Answer, events: number): void
  remembered(events: number): void
  forgotten(events: number): void
  /** Redis answered a question too late, or not. */
  failed(reason: 'late' | 'failed'): void
}

export function createMemoryMetrics(metrics: Metrics): MemoryMetrics {
  const registers = [metrics]
  const answers = new Counter({
    name: 'tidemark_ingest_memory_answers_total',
    help: 'Events looked up among acknowledged ids, by what was found; unasked: Redis was away or late',
    labelNames: ['answer'],
    registers,
  })
  const writes = new Counter({
    name: 'tidemark_ingest_memory_acknowledged_total',
    help: 'Acknowledged events of tenants with a memory: remembered, or forgotten because Redis was away or too slow',
    labelNames: ['outcome'],
    registers,
  })
  const failures = new Counter({
    name: 'tidemark_ingest_memory_failures_total',
    help: 'Questions that Redis answered too late, or not, and events were published without',
    labelNames: ['reason'],
    registers,
  })
  return {
    answered: (answer, events) => {
      if (events > 0) answers.inc({ answer }, events)
    },
    remembered: (events) => writes.inc({ outcome: 'remembered' }, events),
    forgotten: (events) => writes.inc({ outcome: 'forgotten' }, events),
    failed: (reason) => failures.inc({ reason }),
  }
}
