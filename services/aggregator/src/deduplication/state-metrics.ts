import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { Gauge } from 'prom-client'
import type { StateUse } from './state.ts'

/** What the open partitions' states do; each counts since its partition was opened here. */
export function registerStateMetrics(metrics: Metrics, uses: () => readonly StateUse[]): void {
  const gauge = (name: string, help: string, of: (use: StateUse) => number) =>
    new Gauge({
      name: `tidemark_aggregator_state_${name}`,
      help,
      registers: [metrics],
      collect() {
        this.set(uses().reduce((sum, use) => sum + of(use), 0))
      },
    })
  gauge('questions', 'Identities that were looked for', ({ asked }) => asked)
  gauge(
    'store_questions',
    'Of them, those that the filter in memory could not rule out',
    (use) => use.askedStore,
  )
  gauge('expired_claims', 'Claims removed because they had expired in log time', ({ expired }) => expired)
  gauge('filter_bytes', 'Memory that the filters take', ({ filterBytes }) => filterBytes)
}
