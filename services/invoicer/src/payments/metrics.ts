import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { Counter } from 'prom-client'

export type PaymentMetrics = ReturnType<typeof createPaymentMetrics>

export const createPaymentMetrics = (metrics: Metrics) => ({
  outcomes: new Counter({
    name: 'tidemark_payment_outcomes_total',
    help: 'Outcomes of payment attempts as the collector stored them',
    labelNames: ['outcome'],
    registers: [metrics],
  }),
  failures: new Counter({
    name: 'tidemark_payment_failures_total',
    help: 'Questions and charges that the processor did not answer as asked, by code',
    labelNames: ['code'],
    registers: [metrics],
  }),
})
