import { readConfig } from '../process/config.ts'
import { createLog } from '../process/log.ts'
import { runService } from '../process/service.ts'
import { createApp } from './app.ts'
import { stripeSimulatorConfigSchema } from './config.ts'
import { createFaults } from './faults.ts'
import { openState } from './state.ts'
import { createWebhooks } from './webhooks.ts'

const config = readConfig(stripeSimulatorConfigSchema, process.env)
const log = createLog({ service: 'stripe-simulator', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY })
const webhookSecret = config.STRIPE_SIMULATOR_WEBHOOK_SECRET
const webhookUrls = config.STRIPE_SIMULATOR_WEBHOOK_URL.split(',').filter((url) => url !== '')

// A parent that keeps a channel open takes its simulator along, in whatever way it ends.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))

await runService({
  name: 'stripe-simulator',
  log,
  shutdownTimeoutMs: 5_000,
  start: () => {
    const store = openState(config.STRIPE_SIMULATOR_DATA_DIR, Date.now)
    const faults = createFaults()
    const webhooks = createWebhooks({
      store,
      faults,
      configured: webhookUrls.map((url) => ({ url, secret: webhookSecret, account: null })),
      retryBaseMs: config.STRIPE_SIMULATOR_WEBHOOK_RETRY_BASE_MS,
      retryMaxMs: config.STRIPE_SIMULATOR_WEBHOOK_RETRY_MAX_MS,
      log,
    })
    const app = createApp({ store, faults, webhooks, webhookSecret, log })
    return [
      { name: 'state', start: () => {}, stop: store.close },
      { name: 'webhooks', start: webhooks.deliver, stop: webhooks.stop },
      {
        name: 'http',
        start: async () => {
          const address = await app.listen({
            host: config.STRIPE_SIMULATOR_HOST,
            port: config.STRIPE_SIMULATOR_PORT,
          })
          log.info({ address, dataDir: config.STRIPE_SIMULATOR_DATA_DIR }, 'listening')
        },
        stop: () => app.close(),
      },
    ]
  },
})
