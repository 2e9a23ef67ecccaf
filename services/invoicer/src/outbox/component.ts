import type { Producer } from '@tidemark/infra/kafka/producer.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { repeat } from '@tidemark/infra/process/repetition.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import { billingEventsTopic, topics } from '@tidemark/schemas/topics.ts'
import { addOutboxMetrics } from './metrics.ts'
import { relayOutbox } from './relay.ts'

export type OutboxDeps = {
  pool: Pool
  producer: Producer
  clock: Clock
  log: Log
  metrics: Metrics
  fatal: Fatal
  /** Of the installation. */
  prefix: string
}

/** Readers of billing.events see a change about this late. */
const roundMs = 200

/** The relay from billing.outbox to billing.events as a part of the service. */
export function createOutboxRelay({ prefix, log, metrics, fatal, ...rest }: OutboxDeps): Component {
  const spec = topics.find(({ name }) => name === billingEventsTopic)
  const published = addOutboxMetrics(metrics, rest)
  const relay = { ...rest, topic: prefix + billingEventsTopic, partitions: spec?.partitions ?? 1 }
  return repeat({
    name: 'relaying billing events',
    intervalMs: roundMs,
    log,
    async run() {
      const count = await relayOutbox(relay)
      published.inc(count)
      return count
    },
    onFatal: fatal,
  })
}
