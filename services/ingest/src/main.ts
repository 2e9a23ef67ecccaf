import { systemClock } from '@tidemark/infra/process/clock.ts'
import { describeConfig, readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { runService } from '@tidemark/infra/process/service.ts'
import { configSchema } from './config.ts'
import { buildIngest } from './service.ts'

const config = readConfigOrExit(configSchema, process.env)
const log = createLog({ service: 'ingest', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY })
log.info({ config: describeConfig(configSchema, config) }, 'ingest starts')

await runService({
  name: 'ingest',
  log,
  shutdownTimeoutMs: config.SHUTDOWN_TIMEOUT_MS,
  start: (fatal) => buildIngest(config, { log, clock: systemClock, fatal }),
})
