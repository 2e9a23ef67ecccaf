import { readConfigOrExit } from '../process/config.ts'
import { asFailure } from '../process/failure.ts'
import { createLog } from '../process/log.ts'
import { installationSchema, provisionInstallation } from './provision.ts'

const config = readConfigOrExit(installationSchema, process.env)
const log = createLog({ service: 'installation', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY })
try {
  await provisionInstallation({ env: process.env, log })
  log.info('Databases, topics and schemas are up to date')
} catch (error) {
  const { code, message } = asFailure(error)
  log.error({ code }, message)
  process.exitCode = 1
}
