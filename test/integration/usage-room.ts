import { createMeterStore, type MeterStore } from '@tidemark/aggregator/metering/meter-store.ts'
import { type PassReport, runPass } from '@tidemark/aggregator/sealing/pass.ts'
import { createPatience } from '@tidemark/aggregator/sealing/patience.ts'
import { readWatermarks, type Watermarks } from '@tidemark/aggregator/usage/watermarks.ts'
import { type ClickHouse, createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { createLog, type Log } from '@tidemark/infra/process/log.ts'
import { currentLog, usagePartitions } from '@tidemark/schemas/topics.ts'
import { createInstallation, type Installation } from '../installation.ts'
import { createUsageLog, type UsageLog } from './usage-log.ts'

export const usageLogOf = { log: currentLog, partitions: usagePartitions }

/** An installation whose log is written by the test, and whose sealer runs when the test says so. */
export type UsageRoom = {
  readonly installation: Installation
  readonly clickHouse: ClickHouse
  readonly pool: Pool
  readonly meters: MeterStore
  readonly log: UsageLog
  readonly logger: Log
  /** One sealing pass that waits for nothing; a patient one leaves every hour that has got events since the last pass. */
  seal(options?: { patient: boolean }): Promise<PassReport>
  /** A sealer that has read the watermarks and then stands still until it is told to go on. */
  stalledSealer(): Promise<{ goOn(): Promise<PassReport> }>
  close(): Promise<void>
}

/** @param install makes the installation; by default on the run's stack */
export async function openUsageRoom(
  name: string,
  install: (name: string) => Promise<Installation> = createInstallation,
): Promise<UsageRoom> {
  const installation = await install(name)
  const { env, database } = installation
  const clickHouse = createClickHouse({
    url: env.CLICKHOUSE_URL ?? '',
    user: env.CLICKHOUSE_USER ?? '',
    password: env.CLICKHOUSE_PASSWORD ?? '',
    database,
  })
  const pool = installation.openPool('tidemark_aggregator')
  const meters = createMeterStore(pool)
  const logger = createLog({ service: 'test', level: process.env.TEST_LOG_LEVEL ?? 'silent', pretty: false })
  const seal = (waitMs: number, watermarks: () => Promise<Watermarks>): Promise<PassReport> =>
    runPass({
      clickHouse,
      log: logger,
      patience: createPatience({ quietMs: waitMs, mostMs: waitMs, retryMs: 0 }),
      nowMs: Date.now,
      readMeters: meters.all,
      readWatermarks: watermarks,
    })
  return {
    installation,
    clickHouse,
    pool,
    meters,
    log: createUsageLog(clickHouse),
    logger,
    seal: (options) => seal(options?.patient ? 600_000 : 0, () => readWatermarks(clickHouse, usageLogOf)),
    async stalledSealer() {
      const hasRead = Promise.withResolvers<void>()
      const mayGoOn = Promise.withResolvers<void>()
      const pass = seal(0, async () => {
        const watermarks = await readWatermarks(clickHouse, usageLogOf)
        hasRead.resolve()
        await mayGoOn.promise
        return watermarks
      })
      await hasRead.promise
      return {
        goOn() {
          mayGoOn.resolve()
          return pass
        },
      }
    },
    async close() {
      await clickHouse.close()
      await installation.remove()
    },
  }
}
