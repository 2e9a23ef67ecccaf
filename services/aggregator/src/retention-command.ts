import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { createPool } from '@tidemark/infra/postgres/pool.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { asFailure, Failure } from '@tidemark/infra/process/failure.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { databaseName } from '@tidemark/schemas/prefix.ts'
import { configSchema } from './config.ts'
import { createMeterStore } from './metering/meter-store.ts'
import { expireMonths } from './retention/run.ts'

const usage = `Removes months of usage that are older than AGGREGATOR_RETENTION_DAYS, see docs/retention.md:
  show      says what would go, what stays and why; nothing is changed
  expire    removes it; refused months stay, with the reason (exit code 1)`

const config = readConfigOrExit(configSchema, process.env)
const log = createLog({ service: 'retention', level: 'warn', pretty: true })
const database = databaseName(config.TIDEMARK_PREFIX)
const clickHouse = createClickHouse({
  url: config.CLICKHOUSE_URL,
  user: config.CLICKHOUSE_USER,
  password: config.CLICKHOUSE_PASSWORD,
  database,
  applicationName: 'tidemark-retention',
  timeoutMs: 600_000,
})
const pool = createPool({
  url: config.POSTGRES_URL,
  database,
  user: 'tidemark_aggregator',
  password: config.POSTGRES_ROLE_PASSWORD,
  max: 1,
  applicationName: 'tidemark-retention',
  log,
})

async function main([command, ...more]: string[]): Promise<void> {
  if (more.length > 0 || !(command === 'show' || command === 'expire'))
    throw new Failure(usage, { code: 'usage', retryable: false })
  const { lines, refused } = await expireMonths(
    { clickHouse, pool, readMeters: createMeterStore(pool).all },
    {
      retentionDays: config.AGGREGATOR_RETENTION_DAYS,
      certificateDays: config.AGGREGATOR_CERTIFICATE_DAYS,
      now: systemClock.nowMicros(),
      dryRun: command === 'show',
    },
  )
  for (const line of lines) console.log(line)
  if (command === 'expire' && refused > 0) process.exitCode = 1
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(asFailure(error).message)
  process.exitCode = 1
} finally {
  await pool.end()
  await clickHouse.close()
}
