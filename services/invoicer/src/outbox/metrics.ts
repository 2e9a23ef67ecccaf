import type { Pool } from '@tidemark/infra/postgres/pool.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import { Counter, Gauge } from 'prom-client'

/** Registers the relay's figures; the lag is asked of the table when somebody looks, so that it also grows when nothing runs. */
export function addOutboxMetrics(metrics: Metrics, { pool, clock }: { pool: Pool; clock: Clock }): Counter {
  new Gauge({
    name: 'tidemark_outbox_lag_seconds',
    help: 'Age of the oldest billing event that is not on Kafka yet; 0 when all are',
    registers: [metrics],
    async collect() {
      this.set(await outboxLagSeconds(pool, clock).catch(() => Number.NaN))
    },
  })
  return new Counter({
    name: 'tidemark_outbox_published_total',
    help: 'Billing events that this process has put on Kafka, repetitions included',
    registers: [metrics],
  })
}

async function outboxLagSeconds(pool: Pool, clock: Clock): Promise<number> {
  const { rows } = await pool.query<{ created_at: string }>(
    'SELECT created_at FROM billing.outbox WHERE published_at IS NULL ORDER BY id LIMIT 1',
  )
  const oldest = rows[0] && parseInstant(rows[0].created_at)
  return oldest === undefined ? 0 : Math.max(0, (clock.nowMicros() - oldest) / 1_000_000)
}
