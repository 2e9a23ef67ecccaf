import { systemClock } from '@tidemark/infra/process/clock.ts'
import { describeConfig, readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { runService } from '@tidemark/infra/process/service.ts'
import { configSchema } from './config.ts'
import { buildAggregator } from './service.ts'

const config = readConfigOrExit(configSchema, process.env)
const log = createLog({ service: 'aggregator', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY })
log.info({ config: describeConfig(configSchema, config) }, 'aggregator starts')

await runService({
  name: 'aggregator',
  log,
  shutdownTimeoutMs: config.SHUTDOWN_TIMEOUT_MS,
  start: (fatal) => buildAggregator(config, { log, clock: systemClock, fatal }),
})
