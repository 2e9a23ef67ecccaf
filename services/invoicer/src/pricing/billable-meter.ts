import type { Aggregation } from '@tidemark/schemas/meter.ts'

/**
 * What a price can rest on: aggregations whose whole follows from what is read of each subject, in each part of a period in
 * which it is the customer's. Unique values would have to be compared over all subjects, and levels rest on what came
 * before the period.
 */
const billable: readonly Aggregation[] = ['count', 'sum', 'min', 'max', 'average', 'latest']

/** Why no price can rest on the meter; undefined when one can. */
export const unbillable = (key: string, aggregation: Aggregation): string | undefined =>
  billable.includes(aggregation)
    ? undefined
    : `no price can rest on meter "${key}", whose aggregation is ${aggregation}: invoices are made of ${billable.join(', ')} only; name a meter of these, while this one answers usage queries`
