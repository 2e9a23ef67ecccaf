import { buildMetering } from '@tidemark/aggregator/metering/component.ts'
import { createAuthenticator } from '@tidemark/infra/access/authenticator.ts'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { createHealth } from '@tidemark/infra/process/health.ts'
import { createHttpServer } from '@tidemark/infra/process/http.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { answerOrder } from '../worker.ts'

type UsageServerOrder = { env: Record<string, string>; database: string }

export type UsageServerReport = { url: string }

/** The aggregator without its consumer: meters, sealer and usage queries over tables that were written without Kafka. */
async function serve({ env, database }: UsageServerOrder): Promise<UsageServerReport> {
  const log = createLog({ service: 'usage-server', level: 'warn', pretty: true })
  const metrics = createMetrics('usage-server')
  const server = createHttpServer({
    log,
    metrics,
    health: createHealth({ checks: {} }),
    bodyLimitBytes: 1_048_576,
  })
  const clickHouse = createClickHouse({
    url: env.CLICKHOUSE_URL ?? '',
    user: env.CLICKHOUSE_USER ?? '',
    password: env.CLICKHOUSE_PASSWORD ?? '',
    database,
    maxConnections: 40,
  })
  const pool = createPool({
    url: env.POSTGRES_URL ?? '',
    database,
    user: 'tidemark_aggregator',
    password: env.POSTGRES_ROLE_PASSWORD ?? '',
    max: 5,
    applicationName: 'usage-server',
  })
  const config = {
    AGGREGATOR_SEALING_INTERVAL_MS: 2_000,
    AGGREGATOR_SEALING_QUIET_MS: 4_000,
    AGGREGATOR_SEAL_PASSES_KEPT: 10_000,
    AGGREGATOR_CHECK_ENABLED: false,
    AGGREGATOR_CHECK_PAUSE_MS: 0,
    AGGREGATOR_CHECK_ROUND_MS: 0,
  }
  const authenticator = createAuthenticator(pool, systemClock.now)
  const metering = buildMetering(config, {
    server,
    clickHouse,
    pool,
    authenticator,
    log,
    clock: systemClock,
    metrics,
  })
  for (const component of metering) await component.start()
  return { url: await server.listen({ host: '127.0.0.1', port: 0 }) }
}

answerOrder(serve)
