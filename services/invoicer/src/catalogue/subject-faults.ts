import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { type Known, type Mapping, overlaps } from './known.ts'
import { mappingsOf } from './mappings.ts'

/** Subjects that two customers would have at once, or that name a subscription of somebody else. */
export function subjectFaults(catalogue: Catalogue, known: Known): CatalogueFault[] {
  const customers = catalogue.customers ?? []
  const owners = new Map([
    ...[...known.subscriptions.values()].map(({ key, customer }) => [key, customer] as const),
    ...(catalogue.subscriptions ?? []).map(({ key, customer }) => [key, customer] as const),
  ])
  const named = new Set(customers.map(({ key }) => key))
  const taken = Map.groupBy(
    known.mappings.filter(({ customer }) => !named.has(customer)),
    ({ subject }) => subject,
  )
  return customers.flatMap((customer, index) =>
    mappingsOf(customer).flatMap((mapping, place) => {
      const at = `customers[${index}].subjects[${place}]`
      const others = taken.get(mapping.subject) ?? []
      taken.set(mapping.subject, [...others, mapping])
      const other = others.find((each) => overlaps(each, mapping))
      return [...(other ? [overlapFault(mapping, other, at)] : []), ...ownerFaults(mapping, owners, at)]
    }),
  )
}

const overlapFault = ({ subject }: Mapping, other: Mapping, path: string): CatalogueFault => ({
  path: `${path}.key`,
  reason: `"${subject}" belongs to customer "${other.customer}" at that time; set from and to so that they do not overlap`,
})

function ownerFaults(
  { customer, subscription }: Mapping,
  owners: ReadonlyMap<string, string>,
  path: string,
): CatalogueFault[] {
  if (subscription === undefined || owners.get(subscription) === customer) return []
  const reason = owners.has(subscription)
    ? `subscription "${subscription}" is of customer "${owners.get(subscription)}"; name one of "${customer}"`
    : `there is no subscription "${subscription}" of customer "${customer}"; create it or mend the key`
  return [{ path: `${path}.subscription`, reason }]
}
