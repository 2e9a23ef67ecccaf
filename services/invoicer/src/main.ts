import { systemClock } from '@tidemark/infra/process/clock.ts'
import { describeConfig, readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { runService } from '@tidemark/infra/process/service.ts'
import { configSchema } from './config.ts'
import { buildInvoicer } from './service.ts'

const config = readConfigOrExit(configSchema, process.env)
const log = createLog({ service: 'invoicer', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY })
log.info({ config: describeConfig(configSchema, config) }, 'invoicer starts')

await runService({
  name: 'invoicer',
  log,
  shutdownTimeoutMs: config.SHUTDOWN_TIMEOUT_MS,
  start: (fatal) => buildInvoicer(config, { log, clock: systemClock, fatal }),
})
