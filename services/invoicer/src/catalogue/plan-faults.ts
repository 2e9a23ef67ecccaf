import type { Catalogue, CatalogueFault, Plan, Price } from '@tidemark/schemas/catalogue.ts'
import { compare, decimal, zero } from '@tidemark/schemas/decimal.ts'
import type { Aggregation } from '@tidemark/schemas/meter.ts'
import { currencyExponent } from '@tidemark/schemas/money.ts'
import { unbillable } from '../pricing/billable-meter.ts'

/** What the shape of plans cannot say: unknown meters, unsorted tiers, amounts that the currency cannot hold. */
export function planFaults(catalogue: Catalogue, meters: ReadonlyMap<string, Aggregation>): CatalogueFault[] {
  const plans = catalogue.plans ?? []
  return [
    ...twice(plans, 'plans', 'id', ({ id }) => id),
    ...plans.flatMap((plan, index) => faultsOfPlan(plan, `plans[${index}]`, meters)),
  ]
}

/** Every item whose key an earlier one has. */
export function twice<Item>(
  items: readonly Item[],
  path: string,
  field: string,
  key: (item: Item) => string,
): CatalogueFault[] {
  const seen = new Map<string, number>()
  return items.flatMap((item, index) => {
    const first = seen.get(key(item))
    if (first === undefined) seen.set(key(item), index)
    return first === undefined
      ? []
      : [
          {
            path: `${path}[${index}].${field}`,
            reason: `"${key(item)}" stands already in ${path}[${first}]; each needs its own`,
          },
        ]
  })
}

function faultsOfPlan(plan: Plan, path: string, meters: ReadonlyMap<string, Aggregation>): CatalogueFault[] {
  const metered = plan.prices.map((price) => (price.model === 'flat' ? '' : price.meter))
  return [
    ...twice(plan.prices, `${path}.prices`, 'id', ({ id }) => id),
    ...plan.prices.flatMap((price, index) => {
      const at = `${path}.prices[${index}]`
      const first = metered.indexOf(metered[index] ?? '')
      return [
        ...(price.model === 'flat' ? amountFaults(price.amount, plan, `${at}.amount`) : []),
        ...(price.model === 'graduated' ? tierFaults(price, plan, at) : []),
        ...(price.model === 'flat' ? [] : meterFaults(price.meter, meters, `${at}.meter`)),
        ...(price.model === 'flat' || first === index
          ? []
          : [
              {
                path: `${at}.meter`,
                reason: `${path}.prices[${first}] bills "${price.meter}" already; one event is billed once`,
              },
            ]),
      ]
    }),
  ]
}

function meterFaults(key: string, meters: ReadonlyMap<string, Aggregation>, path: string): CatalogueFault[] {
  const aggregation = meters.get(key)
  const reason =
    aggregation === undefined
      ? `there is no meter "${key}"; create it or mend the name`
      : unbillable(key, aggregation)
  return reason === undefined ? [] : [{ path, reason }]
}

function tierFaults(
  price: Extract<Price, { model: 'graduated' }>,
  plan: Plan,
  path: string,
): CatalogueFault[] {
  let below = zero
  return price.tiers.flatMap(({ upTo, flatFee }, index) => {
    const at = `${path}.tiers[${index}]`
    const isLast = index === price.tiers.length - 1
    const faults = flatFee === undefined ? [] : amountFaults(flatFee, plan, `${at}.flatFee`)
    if (isLast && upTo !== null)
      faults.push({ path: `${at}.upTo`, reason: 'the last tier has no end: write null' })
    if (!isLast && upTo === null)
      faults.push({ path: `${at}.upTo`, reason: 'only the last tier may be without an end: name a quantity' })
    if (upTo === null) return faults
    if (compare(decimal(upTo), below) <= 0)
      faults.push({
        path: `${at}.upTo`,
        reason: `${upTo} is not above the tier before it; tiers go upwards from above 0`,
      })
    below = decimal(upTo)
    return faults
  })
}

function amountFaults(amount: string, { currency }: Plan, path: string): CatalogueFault[] {
  const decimals = decimal(amount).scale
  const exponent = currencyExponent(currency)
  if (decimals <= exponent) return []
  return [{ path, reason: `${amount} has ${decimals} decimals; an amount in ${currency} has ${exponent}` }]
}
