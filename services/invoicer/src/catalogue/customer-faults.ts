import type { Catalogue, CatalogueFault, Customer } from '@tidemark/schemas/catalogue.ts'
import { formatInstant, type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { isTimeZone } from '@tidemark/schemas/local-date.ts'
import { type Known, type KnownCustomer, type Mapping, overlaps } from './known.ts'
import { twice } from './plan-faults.ts'

/** What the shape of customers cannot say: zones, subjects that two would have, changes to what is billed. */
export function customerFaults(catalogue: Catalogue, known: Known): CatalogueFault[] {
  const customers = catalogue.customers ?? []
  const subscribed = new Set([...known.subscriptions.values()].map(({ customer }) => customer))
  const stored = Map.groupBy(known.mappings, ({ customer }) => customer)
  return [
    ...twice(customers, 'customers', 'key', ({ key }) => key),
    ...customers.flatMap((customer, index) => {
      const at = `customers[${index}]`
      const before = known.customers.get(customer.key)
      return [
        ...(isTimeZone(customer.timeZone)
          ? []
          : [
              {
                path: `${at}.timeZone`,
                reason: `"${customer.timeZone}" is no time zone; use an IANA name such as Europe/Berlin`,
              },
            ]),
        ...customer.subjects.flatMap((subject, at2) => instantFaults(subject, `${at}.subjects[${at2}]`)),
        ...(before && subscribed.has(customer.key) ? currencyFaults(customer, before, at) : []),
        ...(before ? billedFaults(customer, before, stored.get(customer.key) ?? [], at) : []),
      ]
    }),
    ...overlapFaults(customers, known),
  ]
}

function instantFaults({ from, to }: { from?: string; to?: string }, path: string): CatalogueFault[] {
  const faults = Object.entries({ from, to }).flatMap(([field, text]) =>
    text === undefined || parseInstant(text) !== undefined
      ? []
      : [{ path: `${path}.${field}`, reason: `"${text}" is no instant such as 2026-11-01T00:00:00Z` }],
  )
  if (faults.length === 0 && instantOr(from, -Infinity) >= instantOr(to, Infinity))
    faults.push({ path: `${path}.to`, reason: 'to lies after from; both are half-open: [from, to)' })
  return faults
}

const instantOr = (text: string | undefined, otherwise: Micros1970): Micros1970 =>
  text === undefined ? otherwise : (parseInstant(text) ?? otherwise)

/** The mappings that a customer of a catalogue asks for. */
export const mappingsOf = (customer: Customer): Mapping[] =>
  customer.subjects.map(({ key, from, to }) => ({
    subject: key,
    customer: customer.key,
    from: instantOr(from, -Infinity),
    to: instantOr(to, Infinity),
  }))

function currencyFaults(
  customer: Customer,
  { customer: before }: KnownCustomer,
  path: string,
): CatalogueFault[] {
  if (before.currency === customer.currency) return []
  const reason = `the currency stays ${before.currency}: the customer has subscriptions in it`
  return [{ path: `${path}.currency`, reason }]
}

/** A closed period is immutable (rule 7): what its invoice rests on cannot be changed behind it. */
function billedFaults(
  customer: Customer,
  { customer: before, billedUntil }: KnownCustomer,
  stored: readonly Mapping[],
  path: string,
): CatalogueFault[] {
  const faults: CatalogueFault[] = []
  if (billedUntil === undefined) return faults
  if (before.timeZone !== customer.timeZone)
    faults.push({
      path: `${path}.timeZone`,
      reason: `the time zone stays ${before.timeZone}: the customer is billed until ${formatInstant(billedUntil)}`,
    })
  const clipped = (mappings: readonly Mapping[]) =>
    mappings
      .filter(({ from }) => from < billedUntil)
      .map(({ subject, from, to }) => `${subject} ${from} ${Math.min(to, billedUntil)}`)
      .sort()
      .join('\n')
  if (clipped(stored) !== clipped(mappingsOf(customer)))
    faults.push({
      path: `${path}.subjects`,
      reason: `the customer is billed until ${formatInstant(billedUntil)}: subjects can change only from then on (set from or to)`,
    })
  return faults
}

/** A subject belongs to one customer at a time, those of the file and those that are stored taken together. */
function overlapFaults(customers: readonly Customer[], known: Known): CatalogueFault[] {
  const named = new Set(customers.map(({ key }) => key))
  const taken = new Map<string, Mapping[]>()
  const take = (mapping: Mapping) =>
    taken.set(mapping.subject, [...(taken.get(mapping.subject) ?? []), mapping])
  for (const mapping of known.mappings) if (!named.has(mapping.customer)) take(mapping)
  return customers.flatMap((customer, index) =>
    mappingsOf(customer).flatMap((mapping, at) => {
      const other = taken.get(mapping.subject)?.find((each) => overlaps(each, mapping))
      take(mapping)
      return other === undefined
        ? []
        : [
            {
              path: `customers[${index}].subjects[${at}].key`,
              reason: `"${mapping.subject}" belongs to customer "${other.customer}" at that time; set from and to so that they do not overlap`,
            },
          ]
    }),
  )
}
