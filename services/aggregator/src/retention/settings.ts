import { Type } from 'typebox'

/** Seven years and the leap days in them. */
const sevenYears = 2_557

export const retentionSettings = {
  AGGREGATOR_RETENTION_DAYS: Type.Integer({
    default: sevenYears,
    // Events may be 400 days old when they come, and are then deduplicated and sealed with those of their hour.
    minimum: 430,
    maximum: 36_500,
    description:
      'How long raw events and sealed hours are kept after the end of their month (UTC); npm run retention removes older months.',
  }),
  AGGREGATOR_CERTIFICATE_DAYS: Type.Integer({
    default: sevenYears,
    minimum: 0,
    maximum: 36_500,
    description:
      'How long an invoice must be verifiable from raw events after its issue: a month that its certificate rests on is not removed before.',
  }),
  AGGREGATOR_SEAL_PASSES_KEPT: Type.Integer({
    default: 10_000,
    minimum: 10,
    maximum: 10_000_000,
    description:
      'Sealing passes whose seals stay readable; older versions of a sealed hour are removed. A query or check may last as long as so many passes take.',
  }),
}
