import { Type } from 'typebox'

export const checkSettings = {
  AGGREGATOR_CHECK_ENABLED: Type.Boolean({
    default: true,
    description:
      'Whether the aggregator proves its own tables all the time, slice by slice; one process at a time does.',
  }),
  AGGREGATOR_CHECK_PAUSE_MS: Type.Integer({
    default: 5_000,
    minimum: 0,
    maximum: 600_000,
    description:
      'Rest after each slice of that check, and at least twenty times what the slice took: it never takes more than 5 % of the servers’ time. 0: no rest at all.',
  }),
  AGGREGATOR_CHECK_ROUND_MS: Type.Integer({
    default: 600_000,
    minimum: 0,
    maximum: 86_400_000,
    description: 'Least time between the beginnings of two rounds, each of which reads everything once.',
  }),
}
