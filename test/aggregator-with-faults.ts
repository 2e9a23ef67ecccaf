import { configSchema } from '@tidemark/aggregator/config.ts'
import { buildAggregator } from '@tidemark/aggregator/service.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { readConfigOrExit } from '@tidemark/infra/process/config.ts'
import { createLog } from '@tidemark/infra/process/log.ts'
import { runService } from '@tidemark/infra/process/service.ts'

// The aggregator as its main.ts runs it, but the process sends itself a signal (SIGKILL unless another is named) when
// a step of a batch is done for the n-th time: TIDEMARK_FAULT_STEP, TIDEMARK_FAULT_COUNT, TIDEMARK_FAULT_SIGNAL.
const config = readConfigOrExit(configSchema, process.env)
const log = createLog({ service: 'aggregator', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY })
let left = Number(process.env.TIDEMARK_FAULT_COUNT ?? 1)

await runService({
  name: 'aggregator',
  log,
  shutdownTimeoutMs: config.SHUTDOWN_TIMEOUT_MS,
  start: (fatal) =>
    buildAggregator(config, {
      log,
      clock: systemClock,
      fatal,
      onStep(step) {
        if (step !== process.env.TIDEMARK_FAULT_STEP) return
        left -= 1
        if (left === 0) process.kill(process.pid, process.env.TIDEMARK_FAULT_SIGNAL ?? 'SIGKILL')
      },
    }),
})
