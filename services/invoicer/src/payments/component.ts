import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure, Failure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { repeat } from '@tidemark/infra/process/repetition.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import type { PaymentProcessor } from '@tidemark/infra/stripe/processor.ts'
import type { Delays } from '../delays.ts'
import { type Collector, createCollector } from './collector.ts'
import { createPaymentMetrics } from './metrics.ts'
import type { PaymentConfig } from './settings.ts'

export type PaymentDeps = {
  pool: Pool
  processor: PaymentProcessor
  clock: Clock
  log: Log
  metrics: Metrics
  fatal: Fatal
} & PaymentTimes

/** How patient everything is that learns what became of a payment. */
export type PaymentTimes = { retryDelays: Delays; askEveryMs: number }

export const paymentTimes = (config: PaymentConfig): PaymentTimes => ({
  retryDelays: {
    minMs: config.INVOICER_PAYMENT_RETRY_MIN_MS,
    maxMs: config.INVOICER_PAYMENT_RETRY_MAX_MS,
  },
  askEveryMs: config.INVOICER_PAYMENT_ASK_EVERY_MS,
})

/** A lease outlasts a question and a charge that both run into their timeout. */
const leaseTimeouts = 4

export type Collecting = { collector: Collector; component: Component }

/** Collecting as a part of the service: the collector for the route, and the loop that charges by itself. */
export function createCollecting(config: PaymentConfig, deps: PaymentDeps): Collecting {
  const { log, fatal } = deps
  const collector = createCollector({
    ...deps,
    metrics: createPaymentMetrics(deps.metrics),
    collectsOpenInvoices: config.INVOICER_COLLECTION_ENABLED,
    concurrency: config.INVOICER_COLLECTION_CONCURRENCY,
    leaseMs: leaseTimeouts * config.INVOICER_PAYMENT_TIMEOUT_MS,
  })
  const loop = repeat({
    name: 'collecting',
    intervalMs: config.INVOICER_COLLECTION_INTERVAL_MS,
    log,
    run: () => againAfterUnknownCommit(collector.round()),
    onFatal: fatal,
  })
  return {
    collector,
    component: {
      ...loop,
      stop() {
        collector.stop()
        return loop.stop()
      },
    },
  }
}

/** The next round reads what is there, whether that commit happened or not. */
async function againAfterUnknownCommit<T>(round: Promise<T>): Promise<T> {
  try {
    return await round
  } catch (error) {
    const failure = asFailure(error)
    if (failure.code !== 'commit_unknown') throw failure
    throw new Failure(failure.message, { code: failure.code, retryable: true, cause: failure })
  }
}
