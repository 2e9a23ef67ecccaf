import type { AddOnItem } from '@tidemark/schemas/add-on.ts'
import type { Catalogue, CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { compare, decimal } from '@tidemark/schemas/decimal.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { currenciesOf, type PlanItem, planTerms, pricesIn } from '@tidemark/schemas/plan.ts'
import { needsOf } from '../pricing/rate.ts'
import { metersBilledTwice } from './double-billing.ts'
import type { Known } from './known.ts'
import { amountFaults, intervalText, isMultiple, priceFaults } from './price-faults.ts'
import { twice } from './repeated.ts'
import { stateFault } from './version-changes.ts'

type Meters = ReadonlyMap<string, Meter>

/** What the shape of plans cannot say: found here, when a version is published, and not when it is billed. */
export function planFaults(catalogue: Catalogue, known: Known, meters: Meters): CatalogueFault[] {
  const plans = catalogue.plans ?? []
  return [
    ...twice(plans, 'plans', 'id', ({ id }) => id),
    ...plans.flatMap(({ state, ...plan }, index) => {
      const at = `plans[${index}]`
      const reason = stateFault(plan, state, known.plans.get(plan.id))
      return [
        ...(reason === undefined ? [] : [{ path: `${at}.state`, reason }]),
        ...itemFaults(plan, planTerms(plan).interval, meters, at),
        ...commitmentFaults(plan, at),
      ]
    }),
  ]
}

export function addOnFaults(catalogue: Catalogue, known: Known, meters: Meters): CatalogueFault[] {
  const addOns = catalogue.addOns ?? []
  return [
    ...twice(addOns, 'addOns', 'id', ({ id }) => id),
    ...addOns.flatMap(({ state, ...addOn }, index) => {
      const at = `addOns[${index}]`
      const reason = stateFault(addOn, state, known.addOns.get(addOn.id))
      return [
        ...(reason === undefined ? [] : [{ path: `${at}.state`, reason }]),
        ...itemFaults(addOn, undefined, meters, at),
      ]
    }),
  ]
}

type Item = Omit<AddOnItem, 'state'>

function itemFaults(
  item: Item,
  interval: Parameters<typeof priceFaults>[1]['interval'],
  meters: Meters,
  path: string,
): CatalogueFault[] {
  const context = { currency: item.currency, interval, meters }
  return [
    ...twice(item.prices, `${path}.prices`, 'id', ({ id }) => id),
    ...item.prices.flatMap((price, index) => {
      const at = `${path}.prices[${index}]`
      return [...priceFaults(price, context, at), ...billedTwice(item, index, path)]
    }),
    ...unpricedFaults(item, path),
  ]
}

/** One event is billed by one price of its currency. */
function billedTwice({ currency, prices }: Item, index: number, path: string): CatalogueFault[] {
  const price = prices[index]
  if (!price) return []
  return prices.slice(0, index).flatMap((earlier, first) => {
    if ((earlier.currency ?? currency) !== (price.currency ?? currency)) return []
    return metersBilledTwice(price, earlier).map((meter) => ({
      path: `${path}.prices[${index}].${price.model !== 'flat' && price.meter !== undefined ? 'meter' : 'units'}`,
      reason: `${path}.prices[${first}] bills "${meter}" already; one event is billed once: give both a filter so that no event passes both`,
    }))
  })
}

/** Customers of each currency pay for the same meters: usage without a price would go unbilled. */
function unpricedFaults(item: Item, path: string): CatalogueFault[] {
  const currencies = currenciesOf(item)
  const metered = (prices: Item['prices']) => new Set(prices.flatMap((price) => needsOf(price).meters))
  return currencies.flatMap((currency) => {
    const priced = metered(pricesIn(item, currency))
    return [...metered(item.prices)]
      .filter((meter) => !priced.has(meter))
      .map((meter) => ({
        path: `${path}.prices`,
        reason: `meter "${meter}" has no price in ${currency}, although there are prices in ${currency}: its usage would go unbilled for who pays in it; add one`,
      }))
  })
}

function commitmentFaults(plan: PlanItem, path: string): CatalogueFault[] {
  const { minimum, maximum } = plan
  const faults = Object.entries({ minimum, maximum }).flatMap(([field, commitment]) => {
    if (commitment === undefined) return []
    const others = currenciesOf(plan).filter((currency) => currency !== plan.currency)
    const at = `${path}.${field}`
    return [
      ...amountFaults(commitment.amount, plan.currency, `${at}.amount`),
      ...(others.length === 0
        ? []
        : [
            {
              path: at,
              reason: `is in ${plan.currency}, but there are prices in ${others.join(', ')}: make a plan for each currency`,
            },
          ]),
    ]
  })
  const { interval } = planTerms(plan)
  if (minimum?.term && !isMultiple(minimum.term, interval))
    faults.push({
      path: `${path}.minimum.term`,
      reason: `must be a whole multiple of the plan's ${intervalText(interval)}`,
    })
  if (minimum && maximum && !minimum.term && compare(decimal(minimum.amount), decimal(maximum.amount)) > 0)
    faults.push({
      path: `${path}.maximum.amount`,
      reason: `must not be below the minimum, ${minimum.amount}`,
    })
  return faults
}
