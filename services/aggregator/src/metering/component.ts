import type { Authenticator } from '@tidemark/infra/access/authenticator.ts'
import { createPrincipals } from '@tidemark/infra/access/principals.ts'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { firstLog, type UsageLog } from '@tidemark/schemas/topics.ts'
import type { FastifyInstance } from 'fastify'
import type { Static, TObject } from 'typebox'
import { createFinancePublication } from '../finance/publication.ts'
import { createCheckMetrics } from '../ledger/check/check-metrics.ts'
import type { checkSettings } from '../ledger/check/check-settings.ts'
import { createChecker } from '../ledger/check/checker.ts'
import { createPurger } from '../retention/purger.ts'
import type { retentionSettings } from '../retention/settings.ts'
import { addCompletenessRoutes } from '../routes/completeness.ts'
import { addMeterRoutes } from '../routes/meters.ts'
import { addUsageRoutes } from '../routes/usage.ts'
import { readFilling } from '../sealing/filling.ts'
import { runPass } from '../sealing/pass.ts'
import { createPatience } from '../sealing/patience.ts'
import { createSealer } from '../sealing/sealer.ts'
import { createSealingMetrics } from '../sealing/sealing-metrics.ts'
import type { sealingSettings } from '../sealing/settings.ts'
import { createCompleteness } from '../usage/completeness.ts'
import { createUsageSources, type Sharing, usualSharing } from '../usage/usage-sources.ts'
import { readWatermarks, type Watermarks } from '../usage/watermarks.ts'
import { createMeterStore } from './meter-store.ts'

export type MeteringConfig = Static<TObject<typeof sealingSettings & typeof checkSettings>> &
  Pick<Static<TObject<typeof retentionSettings>>, 'AGGREGATOR_SEAL_PASSES_KEPT'>

export type MeteringDependencies = {
  /** The log whose watermarks say how far everything is complete. */
  readonly usageLog?: UsageLog
  /** How far usage queries that come close together share what they read; see usage-sources.ts. */
  readonly sharing?: Sharing
  /** Gets the routes; listening is its owner's. */
  readonly server: FastifyInstance
  readonly clickHouse: ClickHouse
  /** The sealer and the checker each keep one of its connections for their lease. */
  readonly pool: Pool
  readonly authenticator: Authenticator
  readonly log: Log
  readonly clock: Clock
  readonly metrics: Metrics
}

/** A late event is in its sealed hour within 30 s: the longest wait, an interval and the pass itself. */
const longestWaitMs = 20_000
const retryUnprovedMs = 30_000

/** Meters, usage queries and completeness on the server given; the sealer and the checker as components. */
export function buildMetering(config: MeteringConfig, dependencies: MeteringDependencies): Component[] {
  const {
    usageLog = firstLog,
    sharing = usualSharing,
    server,
    clickHouse,
    pool,
    log,
    clock,
    metrics,
  } = dependencies
  const meters = createMeterStore(pool)
  const completeness = createCompleteness()
  const principals = createPrincipals(dependencies.authenticator)
  const sources = createUsageSources(clickHouse, usageLog, completeness, sharing)
  addMeterRoutes(server, meters, principals, async (meter) =>
    readFilling(clickHouse, meter, await readWatermarks(clickHouse, usageLog)),
  )
  addUsageRoutes(server, meters, sources, principals)
  addCompletenessRoutes(server, sources, principals)

  const patience = createPatience({
    quietMs: config.AGGREGATOR_SEALING_QUIET_MS,
    mostMs: longestWaitMs,
    retryMs: retryUnprovedMs,
  })
  const finance = createFinancePublication(clickHouse, completeness)
  const sealer = createSealer({
    pool,
    log,
    metrics: createSealingMetrics(metrics),
    intervalMs: config.AGGREGATOR_SEALING_INTERVAL_MS,
    runPass() {
      let reached: Watermarks | undefined
      return runPass({
        clickHouse,
        log,
        patience,
        nowMs: clock.now,
        async readMeters() {
          const all = await meters.all()
          if (reached) await finance.publish(reached, all)
          return all
        },
        async readWatermarks() {
          const watermarks = await readWatermarks(clickHouse, usageLog)
          completeness.observe(watermarks)
          reached = watermarks
          return watermarks
        },
      })
    },
  })
  const checker = createChecker({
    clickHouse,
    pool,
    log,
    metrics: createCheckMetrics(metrics),
    pauseMs: config.AGGREGATOR_CHECK_PAUSE_MS,
    roundMs: config.AGGREGATOR_CHECK_ROUND_MS,
    readMeters: meters.all,
    readWatermarks: () => readWatermarks(clickHouse, usageLog),
  })
  const purger = createPurger({ clickHouse, pool, log, passesKept: config.AGGREGATOR_SEAL_PASSES_KEPT })
  return config.AGGREGATOR_CHECK_ENABLED ? [sealer, purger, checker] : [sealer, purger]
}
