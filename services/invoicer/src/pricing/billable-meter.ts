import type { Aggregation } from '@tidemark/schemas/meter.ts'

/**
 * What a price can rest on. Quantities of a customer's subjects, and of the parts of a period in which they are the
 * customer's, are added up: of the other aggregations the whole is not the sum of such parts.
 */
const billable: readonly Aggregation[] = ['count', 'sum']

/** Why no price can rest on the meter; undefined when one can. */
export const unbillable = (key: string, aggregation: Aggregation): string | undefined =>
  billable.includes(aggregation)
    ? undefined
    : `no price can rest on meter "${key}", whose aggregation is ${aggregation}: invoices are made of ${billable.join(' and ')} only; name a meter of these, while this one answers usage queries`
