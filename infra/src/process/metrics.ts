import { collectDefaultMetrics, Registry } from 'prom-client'

export type Metrics = Registry

/**
 * One registry per service, never the global one, so that several services can run in one process. It holds the
 * runtime's own metrics from the start; each part registers its own with `registers: [metrics]`.
 */
export function createMetrics(service: string): Metrics {
  const metrics = new Registry()
  metrics.setDefaultLabels({ service })
  collectDefaultMetrics({ register: metrics })
  return metrics
}
