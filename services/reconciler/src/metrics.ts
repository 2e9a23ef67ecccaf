import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { Counter } from 'prom-client'

export type ReconcilerMetrics = ReturnType<typeof createReconcilerMetrics>

export const createReconcilerMetrics = (metrics: Metrics) => ({
  findings: new Counter({
    name: 'tidemark_reconciliation_findings_total',
    help: 'Comparisons judged, by cause',
    labelNames: ['cause'],
    registers: [metrics],
  }),
  unreadable: new Counter({
    name: 'tidemark_reconciliation_unreadable_total',
    help: 'Records kept aside because they could not be read, by topic',
    labelNames: ['topic'],
    registers: [metrics],
  }),
  alerts: new Counter({
    name: 'tidemark_reconciliation_alerts_total',
    help: 'Alerts raised, by severity',
    labelNames: ['severity'],
    registers: [metrics],
  }),
})
