import type { Customer } from '@tidemark/schemas/customer.ts'
import { type CustomerItem, normalized } from './customer-row.ts'
import { type Difference, differenceOf } from './difference.ts'
import type { KnownCustomer, Mapping } from './known.ts'
import { mappingsOf, mappingText } from './mappings.ts'

export type CustomerChange = {
  readonly customer: CustomerItem
  /** Names of the fields that change, for a line; `difference` says how. */
  readonly fields: readonly string[]
  readonly difference: readonly Difference[]
  /** All of the customer's subjects when they change. */
  readonly mappings: readonly Mapping[] | undefined
  readonly isNew: boolean
}

/** What applying a customer does; undefined when all is so already. */
export function customerChange(
  { subjects, ...given }: Customer,
  known: KnownCustomer | undefined,
  stored: readonly Mapping[],
): CustomerChange | undefined {
  const customer = normalized(given)
  const mappings = mappingsOf({ ...given, subjects })
  const own = known ? differenceOf({ ...known.customer }, { ...customer }) : []
  const mapped = differenceOf(
    { subjects: stored.map(mappingText).sort() },
    { subjects: mappings.map(mappingText).sort() },
  )
  const isMapped = stored.length === mappings.length && mapped.length === 0
  const difference = known ? [...own, ...mapped] : []
  if (known && difference.length === 0) return undefined
  const fields = [...new Set(difference.map(({ path }) => path.split(/[.[]/)[0] ?? path))]
  return {
    customer,
    fields,
    difference,
    mappings: isMapped ? undefined : mappings,
    isNew: known === undefined,
  }
}
