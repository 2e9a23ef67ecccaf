import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import { repeat } from '@tidemark/infra/process/repetition.ts'
import { purgingLease, withLease } from '../sealing/lease.ts'
import { purgeSeals } from './purge.ts'

export type PurgerOptions = { clickHouse: ClickHouse; pool: Pool; log: Log; passesKept: number }

const intervalMs = 3_600_000

/** Removes replaced seal versions once an hour, one process of an installation at a time. */
export function createPurger({ clickHouse, pool, log, passesKept }: PurgerOptions): Component {
  async function round(): Promise<void> {
    await withLease(pool, purgingLease, async () => {
      const seals = await purgeSeals(clickHouse, passesKept)
      if (seals > 0) log.info({ seals }, 'Replaced seals have been removed')
    })
  }
  return repeat({
    name: 'removing replaced seals',
    intervalMs,
    log,
    async run() {
      // Nothing is wrong while old versions stay; usage is never stopped for them.
      await round().catch((error: unknown) => {
        log.warn(
          { err: asFailure(error) },
          'Replaced seals could not be removed; they go with the next round',
        )
      })
      return 0
    },
    onFatal: () => {},
  })
}
