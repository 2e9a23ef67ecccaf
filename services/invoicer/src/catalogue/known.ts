import type { Customer, Plan } from '@tidemark/schemas/catalogue.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Aggregation } from '@tidemark/schemas/meter.ts'

/** A subject's mapping; -Infinity and Infinity where it has no end. */
export type Mapping = {
  readonly subject: string
  readonly customer: string
  readonly from: Micros1970
  readonly to: Micros1970
}

export type KnownPlan = { readonly version: number; readonly sha256: string; readonly plan: Plan }

export type KnownCustomer = {
  readonly customer: Omit<Customer, 'subjects'>
  /** End of the last period that is billed; undefined when none is. */
  readonly billedUntil: Micros1970 | undefined
}

export type KnownSubscription = {
  readonly key: string
  readonly customer: string
  readonly plan: Plan
  readonly anchorDay: number
  readonly start: Micros1970
  readonly end: Micros1970
}

/** What a tenant has already, as far as a catalogue names it. */
export type Known = {
  /** How each meter aggregates, in its newest version. */
  readonly meters: ReadonlyMap<string, Aggregation>
  /** The newest published version of each. */
  readonly plans: ReadonlyMap<string, KnownPlan>
  readonly customers: ReadonlyMap<string, KnownCustomer>
  readonly mappings: readonly Mapping[]
  readonly subscriptions: ReadonlyMap<string, KnownSubscription>
}

export const overlaps = (
  a: { from: Micros1970; to: Micros1970 },
  b: { from: Micros1970; to: Micros1970 },
): boolean => a.from < b.to && b.from < a.to
