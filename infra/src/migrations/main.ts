import { Type } from 'typebox'
import { readConfigOrExit } from '../process/config.ts'
import { asFailure } from '../process/failure.ts'
import { createLog } from '../process/log.ts'
import { clickHouseSettings, logSettings, postgresSettings, prefixSettings } from '../process/settings.ts'
import { migrate } from './migrate.ts'

const configSchema = Type.Object({
  ...prefixSettings,
  ...logSettings,
  ...postgresSettings,
  ...clickHouseSettings,
})

const config = readConfigOrExit(configSchema, process.env)
const log = createLog({ service: 'migrations', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY })
try {
  await migrate({
    postgresUrl: config.POSTGRES_URL,
    rolePassword: config.POSTGRES_ROLE_PASSWORD,
    clickHouse: {
      url: config.CLICKHOUSE_URL,
      user: config.CLICKHOUSE_USER,
      password: config.CLICKHOUSE_PASSWORD,
    },
    prefix: config.TIDEMARK_PREFIX,
    log,
  })
  log.info('Both databases are up to date')
} catch (error) {
  const { code, message } = asFailure(error)
  log.error({ code }, message)
  process.exitCode = 1
}
