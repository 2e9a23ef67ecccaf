import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import type { Customer } from '@tidemark/schemas/customer.ts'
import { formatInstant, parseInstant } from '@tidemark/schemas/instant.ts'
import { isTimeZone } from '@tidemark/schemas/local-date.ts'
import { currenciesOf } from '@tidemark/schemas/plan.ts'
import { type PriceLists, planOfPhase, type Subscription } from '../subscriptions/subscription.ts'
import type { Known, KnownCustomer, Mapping } from './known.ts'
import { instantOr, mappingsOf, mappingText } from './mappings.ts'
import { twice } from './repeated.ts'

/** What the shape of customers cannot say: zones, ids, changes to what is billed. */
export function customerFaults(catalogue: Catalogue, known: Known): CatalogueFault[] {
  const customers = catalogue.customers ?? []
  const subscribed = Map.groupBy(known.subscriptions.values(), ({ customer }) => customer)
  const stored = Map.groupBy(known.mappings, ({ customer }) => customer)
  return [
    ...twice(customers, 'customers', 'key', ({ key }) => key),
    ...customers.flatMap((customer, index) => {
      const at = `customers[${index}]`
      const before = known.customers.get(customer.key)
      return [
        ...zoneFaults(customer, at),
        ...processorFaults(customer, at),
        ...customer.subjects.flatMap((subject, place) => timeFaults(subject, `${at}.subjects[${place}]`)),
        ...(before
          ? currencyFaults(customer, before, subscribed.get(customer.key) ?? [], known.lists, at)
          : []),
        ...(before ? billedFaults(customer, before, stored.get(customer.key) ?? [], at) : []),
      ]
    }),
  ]
}

const zoneFaults = ({ timeZone }: Customer, path: string): CatalogueFault[] =>
  isTimeZone(timeZone)
    ? []
    : [
        {
          path: `${path}.timeZone`,
          reason: `"${timeZone}" is no time zone; use an IANA name such as Europe/Berlin`,
        },
      ]

function processorFaults(
  { processorCustomerId, processorCustomerIds }: Customer,
  path: string,
): CatalogueFault[] {
  const named = processorCustomerIds?.stripe
  if (named === undefined || processorCustomerId === undefined || named === processorCustomerId) return []
  const reason = `differs from processorCustomerId, ${processorCustomerId}, which is Stripe's too; write one of them`
  return [{ path: `${path}.processorCustomerIds.stripe`, reason }]
}

function timeFaults({ from, to }: { from?: string; to?: string }, path: string): CatalogueFault[] {
  const faults = Object.entries({ from, to }).flatMap(([field, text]) =>
    text === undefined || parseInstant(text) !== undefined
      ? []
      : [{ path: `${path}.${field}`, reason: `"${text}" is no instant such as 2026-11-01T00:00:00Z` }],
  )
  if (faults.length === 0 && instantOr(from, -Infinity) >= instantOr(to, Infinity))
    faults.push({ path: `${path}.to`, reason: 'to lies after from; both are half-open: [from, to)' })
  return faults
}

/** Balances of different currencies never mix; the first invoice fixes the customer's. */
function currencyFaults(
  { currency }: Customer,
  { customer: before, isInvoiced }: KnownCustomer,
  subscriptions: readonly Subscription[],
  lists: PriceLists,
  path: string,
): CatalogueFault[] {
  if (before.currency === currency) return []
  const at = `${path}.currency`
  if (isInvoiced)
    return [{ path: at, reason: `the currency stays ${before.currency}: the first invoice has fixed it` }]
  const priced = subscriptions.find(({ timeline: { phases } }) =>
    phases.some((phase) => !currenciesOf(planOfPhase(lists, phase)).includes(currency)),
  )
  if (!priced) return []
  const reason = `the currency stays ${before.currency}: subscription "${priced.key}" has no prices in ${currency}`
  return [{ path: at, reason }]
}

/** A closed period is immutable (rule 7): what its invoice rests on cannot be changed behind it. */
function billedFaults(
  customer: Customer,
  { billedUntil }: KnownCustomer,
  stored: readonly Mapping[],
  path: string,
): CatalogueFault[] {
  const faults: CatalogueFault[] = []
  if (billedUntil === undefined) return faults
  const clipped = (mappings: readonly Mapping[]) =>
    mappings
      .filter(({ from }) => from < billedUntil)
      .map((mapping) => mappingText({ ...mapping, to: Math.min(mapping.to, billedUntil) }))
      .sort()
      .join('\n')
  if (clipped(stored) !== clipped(mappingsOf(customer)))
    faults.push({
      path: `${path}.subjects`,
      reason: `the customer is billed until ${formatInstant(billedUntil)}: subjects can change only from then on (set from or to)`,
    })
  return faults
}
