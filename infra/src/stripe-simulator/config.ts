import { Type } from 'typebox'
import { hostSetting, logSettings, portSetting } from '../process/settings.ts'

export const stripeSimulatorConfigSchema = Type.Object({
  STRIPE_SIMULATOR_HOST: hostSetting(),
  STRIPE_SIMULATOR_PORT: portSetting(4242),
  STRIPE_SIMULATOR_DATA_DIR: Type.String({
    default: '.local/stripe-simulator',
    minLength: 1,
    description: 'Folder of the journal that holds the state; one simulator per folder.',
  }),
  STRIPE_SIMULATOR_WEBHOOK_URL: Type.String({
    default: '',
    pattern: '^(https?://[^,\\s]+(,https?://[^,\\s]+)*)?$',
    description: 'Where events go, separated by commas; may be empty, and more can be added at run time.',
  }),
  STRIPE_SIMULATOR_WEBHOOK_SECRET: Type.String({
    default: 'whsec_tidemark_local',
    minLength: 1,
    description: 'Signs webhooks; the receiver must have the same.',
    secret: true,
  }),
  STRIPE_SIMULATOR_WEBHOOK_RETRY_BASE_MS: Type.Integer({
    default: 200,
    minimum: 1,
    maximum: 3_600_000,
    description:
      'Wait before a webhook is sent a second time; doubles each time. Short, as a laptop has no hours.',
  }),
  STRIPE_SIMULATOR_WEBHOOK_RETRY_MAX_MS: Type.Integer({
    default: 5_000,
    minimum: 1,
    maximum: 86_400_000,
    description: 'The longest wait between two attempts of a webhook.',
  }),
  ...logSettings,
})
