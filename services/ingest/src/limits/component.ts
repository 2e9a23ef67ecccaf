import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { createPolling } from '@tidemark/infra/process/polling.ts'
import type { RedisClient } from '@tidemark/infra/redis/client.ts'
import { Counter } from 'prom-client'
import { createBucket } from './bucket.ts'
import { readLimits } from './limit-store.ts'
import { createLimits, type Limits } from './limits.ts'
import { createSharedWindow } from './shared-window.ts'

export type LimitsOptions = {
  pool: Queryable
  /** Not connected before there is a limit; this component ends it. */
  redis: RedisClient
  clock: Clock
  log: Log
  metrics: Metrics
  pollMs: number
}

/** Limits that follow the database: a change holds after one poll; while it does not answer, the last ones do. */
export function createLimitsComponent(options: LimitsOptions): { limits: Limits; component: Component } {
  const { pool, redis, clock, log } = options
  const refused = new Counter({
    name: 'tidemark_ingest_requests_limited_total',
    help: 'Requests answered with 429, by the limit that was reached',
    labelNames: ['limit'],
    registers: [options.metrics],
  })
  const limits = createLimits(
    (name, rate) => createBucket(rate, createSharedWindow(redis, name, rate, clock.now), clock.now),
    (limit) => refused.inc({ limit }),
  )

  async function poll(): Promise<void> {
    try {
      const found = await readLimits(pool)
      limits.replace(found)
      // A failure is logged by the client, which goes on trying; the limits hold in this process alone meanwhile.
      if (found.length > 0 && redis.status === 'wait') redis.connect().catch(() => {})
    } catch (error) {
      log.warn({ code: asFailure(error).code }, 'limits could not be read; the last ones hold')
    }
  }

  const polling = createPolling(options.pollMs, poll)
  const component: Component = {
    name: 'limits',
    start: polling.start,
    async stop() {
      await polling.stop()
      redis.disconnect()
    },
  }
  return { limits, component }
}
