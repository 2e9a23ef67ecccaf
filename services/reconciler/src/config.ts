import {
  clickHouseSettings,
  hostSetting,
  kafkaSettings,
  lifecycleSettings,
  logSettings,
  portSetting,
  postgresSettings,
  prefixSettings,
} from '@tidemark/infra/process/settings.ts'
import { type Static, Type } from 'typebox'

export const configSchema = Type.Object({
  ...prefixSettings,
  ...logSettings,
  ...lifecycleSettings,
  ...kafkaSettings,
  ...clickHouseSettings,
  ...postgresSettings,
  RECONCILER_HOST: hostSetting(),
  RECONCILER_PORT: portSetting(4400),
  RECONCILER_PAIR_WAIT_MS: Type.Integer({
    default: 900_000,
    minimum: 100,
    maximum: 604_800_000,
    description:
      'How long one side waits for the other before it is judged missing; longer than either bridge lags.',
  }),
  RECONCILER_ROUNDING_MINOR_UNITS: Type.Integer({
    default: 2,
    minimum: 0,
    maximum: 1000,
    description: 'Differences up to this many minor units (cents) of one invoice are called rounding.',
  }),
  RECONCILER_WARNING_MAJOR_UNITS: Type.Integer({
    default: 10,
    minimum: 0,
    description: 'Unexplained and missing amounts of one tenant and hour above this raise a warning.',
  }),
  RECONCILER_CRITICAL_MAJOR_UNITS: Type.Integer({
    default: 100,
    minimum: 0,
    description: 'Above this they raise a critical alert.',
  }),
})

export type ReconcilerConfig = Static<typeof configSchema>
