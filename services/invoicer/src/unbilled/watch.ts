import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { repeat } from '@tidemark/infra/process/repetition.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import { Gauge } from 'prom-client'
import { createCompletenessReader } from '../closing/watermark-store.ts'
import { unbilledOf } from './accounting.ts'
import { type UnbilledReason, unbilledReasons } from './coverage.ts'
import { readUnbilled } from './read.ts'
import { readEveryMeter } from './store.ts'

export type UnbilledWatchDeps = {
  pool: Pool
  clickHouse: ClickHouse
  clock: Clock
  log: Log
  metrics: Metrics
  fatal: Fatal
  intervalMs: number
}

/** Usage that somebody has to map, subscribe or price; trials, pauses and filters are what the catalogue asks for. */
const alarming: readonly UnbilledReason[] = ['unknown_subject', 'no_subscription', 'no_price']

const microsPerDay = 86_400_000_000

/** Looks again and again at the last day of every tenant, so that usage that nobody pays for raises an alert. */
export function createUnbilledWatch(deps: UnbilledWatchDeps): Component {
  const { intervalMs, log, fatal, metrics } = deps
  const gauge = new Gauge({
    name: 'tidemark_unbilled_events',
    help: 'Events of the last day that meters counted and no subscription bills, by the reason',
    labelNames: ['reason'],
    registers: [metrics],
  })
  return repeat({
    name: 'watch over unbilled usage',
    intervalMs,
    log,
    async run() {
      await watchOnce(deps, gauge).catch((error: unknown) => {
        const failure = asFailure(error)
        if (failure.retryable) throw failure
        // Who only looks must not stop those who bill.
        log.error({ err: failure }, 'The watch over unbilled usage failed and goes on with its next round')
      })
      return 0
    },
    onFatal: fatal,
  })
}

/** Tenants are told apart in the log: as labels they would be as many series as there are customers of ours. */
async function watchOnce({ pool, clickHouse, clock, log }: UnbilledWatchDeps, gauge: Gauge): Promise<void> {
  const byTenant = Map.groupBy(await readEveryMeter(pool), ({ tenant }) => tenant)
  const end = clock.nowMicros()
  const period = { start: end - microsPerDay, end }
  const totals = new Map(unbilledReasons.map((reason) => [reason, 0]))
  for (const [tenant, meters] of byTenant) {
    const { cut } = await createCompletenessReader({ clickHouse, pool }, tenant)()
    const accounts = await readUnbilled({ pool, clickHouse }, { tenant, meters, period, cut })
    const items = accounts.flatMap((account) => account.items)
    const counts = unbilledReasons.map((reason) => {
      const events = Number(unbilledOf(items.filter((item) => item.reason === reason)).count)
      totals.set(reason, (totals.get(reason) ?? 0) + events)
      return [reason, events] as const
    })
    const alarms = counts.filter(([reason, events]) => alarming.includes(reason) && events > 0)
    if (alarms.length > 0)
      log.warn({ tenant, ...Object.fromEntries(alarms) }, 'Usage of the last day is billed to nobody')
  }
  for (const [reason, events] of totals) gauge.set({ reason }, events)
}
