import {
  clickHouseSettings,
  hostSetting,
  kafkaSettings,
  lifecycleSettings,
  logSettings,
  portSetting,
  postgresSettings,
  prefixSettings,
  stripeSettings,
} from '@tidemark/infra/process/settings.ts'
import { type Static, Type } from 'typebox'
import { closingSettings } from './closing/settings.ts'
import { paymentSettings } from './payments/settings.ts'
import { taxSettings } from './tax/settings.ts'

export const configSchema = Type.Object({
  ...prefixSettings,
  ...logSettings,
  ...lifecycleSettings,
  ...kafkaSettings,
  ...clickHouseSettings,
  ...postgresSettings,
  ...stripeSettings,
  ...closingSettings,
  ...paymentSettings,
  ...taxSettings,
  INVOICER_HOST: hostSetting(),
  INVOICER_PORT: portSetting(4300),
})

export type InvoicerConfig = Static<typeof configSchema>
