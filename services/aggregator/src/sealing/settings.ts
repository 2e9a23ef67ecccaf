import { Type } from 'typebox'

export const sealingSettings = {
  AGGREGATOR_SEALING_INTERVAL_MS: Type.Integer({
    default: 2_000,
    minimum: 10,
    maximum: 60_000,
    description: 'Time between two sealing passes.',
  }),
  AGGREGATOR_SEALING_QUIET_MS: Type.Integer({
    default: 4_000,
    minimum: 0,
    maximum: 60_000,
    description:
      'An hour that is over is sealed when no event has come for it for so long (20 s at the latest): a backlog would otherwise seal it with every batch.',
  }),
}
