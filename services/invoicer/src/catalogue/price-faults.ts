import type { CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { decimal } from '@tidemark/schemas/decimal.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { type Currency, currencyExponent } from '@tidemark/schemas/money.ts'
import type { Price, PriceInterval } from '@tidemark/schemas/price.ts'
import { unbillable } from '../pricing/billable-meter.ts'
import { unsoundFields } from '../pricing/price-faults.ts'
import { needsOf } from '../pricing/rate.ts'
import { endFaults } from './tier-faults.ts'

type PriceContext = {
  /** Of the plan or add-on. */
  readonly currency: Currency
  /** Of the plan; an add-on takes the one of the plan that it is added to. */
  readonly interval: PriceInterval | undefined
  readonly meters: ReadonlyMap<string, Meter>
}

/** What the shape of a price cannot say. */
export function priceFaults(price: Price, context: PriceContext, path: string): CatalogueFault[] {
  const inside = (at: string) => `${path}.${at}`
  return [
    ...unsoundFields(price, context.currency).map(({ path: at, reason }) => ({ path: inside(at), reason })),
    ...endFaults(price).map(({ path: at, reason }) => ({ path: inside(at), reason })),
    ...meterFaults(price, context.meters, path),
    ...unmeteredFaults(price, path),
    ...intervalFaults(price, context.interval, path),
  ]
}

export function amountFaults(amount: string, currency: Currency, path: string): CatalogueFault[] {
  const decimals = decimal(amount).scale
  const exponent = currencyExponent(currency)
  if (decimals <= exponent) return []
  return [{ path, reason: `${amount} has ${decimals} decimals; an amount in ${currency} has ${exponent}` }]
}

function meterFaults(price: Price, meters: ReadonlyMap<string, Meter>, path: string): CatalogueFault[] {
  const { meters: keys, dimensions } = needsOf(price)
  const at = price.model !== 'flat' && price.meter !== undefined ? `${path}.meter` : path
  return keys.flatMap((key) => {
    const meter = meters.get(key)
    if (meter === undefined)
      return [{ path: at, reason: `there is no meter "${key}"; create it or mend the name` }]
    const reason = unbillable(key, meter.aggregation)
    if (reason !== undefined) return [{ path: at, reason }]
    const known = Object.keys(meter.dimensions ?? {})
    return dimensions
      .filter((dimension) => !known.includes(dimension))
      .map((dimension) => ({
        path: `${path}.${isFiltered(price, dimension) ? 'filter' : 'filters'}`,
        reason: `meter "${key}" has no dimension "${dimension}"; ${known.length === 0 ? 'it has none' : `use one of ${known.join(', ')}`}`,
      }))
  })
}

const isFiltered = (price: Price, dimension: string): boolean =>
  price.model !== 'flat' && Object.hasOwn(price.filter ?? {}, dimension)

/** What belongs to prices of usage only, and what no invoice can be made of: it is refused before anybody subscribes. */
function unmeteredFaults(price: Price, path: string): CatalogueFault[] {
  const { meters, events, changes, dimensions } = needsOf(price)
  if (changes)
    return [
      {
        path: `${path}.model`,
        reason: `${price.model} is calculated in previews only: price seats with graduated, whose parts of a period are prorated`,
      },
    ]
  if (meters.length > 0 || !(events || dimensions.length > 0)) return []
  return [{ path: `${path}.meter`, reason: 'is missing: this price is of single events: name their meter' }]
}

function intervalFaults(price: Price, plan: PriceInterval | undefined, path: string): CatalogueFault[] {
  if (price.interval === undefined || plan === undefined || dividesEither(price.interval, plan)) return []
  return [
    {
      path: `${path}.interval`,
      reason: `must be a whole multiple of the plan's ${intervalText(plan)}, or go into it a whole number of times`,
    },
  ]
}

/** Days and weeks have one length, months and years have one, and none goes into the other. */
const lengths = {
  day: { of: 'days', length: 1 },
  week: { of: 'days', length: 7 },
  month: { of: 'months', length: 1 },
  year: { of: 'months', length: 12 },
}

/** Whether one of two intervals is the other a whole number of times. */
export function dividesEither(a: PriceInterval, b: PriceInterval): boolean {
  const [x, y] = [lengths[a.unit], lengths[b.unit]]
  const [first, second] = [x.length * a.count, y.length * b.count]
  return x.of === y.of && (first % second === 0 || second % first === 0)
}

/** Whether the first is the second a whole number of times. */
export const isMultiple = (a: PriceInterval, b: PriceInterval): boolean =>
  dividesEither(a, b) && lengths[a.unit].length * a.count >= lengths[b.unit].length * b.count

export const intervalText = ({ unit, count }: PriceInterval): string =>
  count === 1 ? `one ${unit}` : `${count} ${unit}s`
