import type { Decimal } from '@tidemark/schemas/decimal.ts'
import { type Currency, formatMicros } from '@tidemark/schemas/money.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import { type QuantityRounding, roundQuantity } from '@tidemark/schemas/quantity-rounding.ts'
import { partOfDecimal, whole } from './fraction.ts'
import { rateBlocks } from './models/blocks.ts'
import { rateCapacity } from './models/capacity.ts'
import { rateFlat } from './models/flat.ts'
import { rateGraduated } from './models/graduated.ts'
import { rateGraduatedPercentage } from './models/graduated-percentage.ts'
import { rateGraduatedProrated } from './models/graduated-prorated.ts'
import { ratePackage } from './models/package.ts'
import { ratePerUnit } from './models/per-unit.ts'
import { chargesByEvent, ratePercentage } from './models/percentage.ts'
import { rateVolume } from './models/volume.ts'
import { commit, exactOf } from './price-commitment.ts'
import type { ExactAmount, Fraction, PricedUsage, PriceNeeds, RatedPrice, Step } from './rated.ts'
import { traceOf } from './trace.ts'

/**
 * What a price makes of usage: exact in the price's model, then the price's own commitment, then the served part of the
 * period, then rounded once, half away from zero, to the currency's minor unit (rule 6). A pure function of its arguments.
 */
export function ratePrice(price: Price, usage: PricedUsage, currency: Currency): RatedPrice {
  const rounded = roundUsage(usage, price.model === 'flat' ? undefined : price.usageRounding)
  const rated = exactAmount(price, rounded)
  const isMetered = needsOf(price).meters.length > 0
  const factor = usage.factor ?? whole
  const committed = commit(price, rated, isMetered ? factor : whole, currency)
  const part = isMetered ? whole : factor
  const { numerator } = part
  const denominator = (committed.divisor ?? 1n) * part.denominator
  const amountMicros = partOfDecimal(committed.exact, { numerator, denominator }, currency)
  return {
    exact: exactOf(committed),
    amountMicros,
    get trace() {
      return traceOf([
        ...usageSteps(price, usage, rounded),
        ...committed.steps,
        ...factorSteps(part),
        { step: 'rounding', exact: exactOf(committed), amount: formatMicros(amountMicros, currency) },
      ])
    },
  }
}

/** What has to be read for a price: a close reads no more than that. */
export function needsOf(price: Price): PriceNeeds {
  if (price.model === 'flat') return { events: false, changes: false, dimensions: [], meters: [] }
  const filters = price.model === 'per-unit' ? (price.filters ?? []) : []
  const named = [price.filter ?? {}, ...filters.map(({ match }) => match)].flatMap(Object.keys)
  return {
    events: price.model === 'percentage' && chargesByEvent(price),
    changes: price.model === 'graduated-prorated',
    dimensions: [...new Set(named)],
    meters: price.meter === undefined ? unitsOf(price) : [price.meter],
  }
}

/** The names of a price's units are meters' keys. */
function unitsOf(price: Price): string[] {
  if (price.model === 'blocks') return Object.keys(price.units ?? {})
  if (price.model === 'capacity')
    return [...new Set(price.tiers.flatMap(({ limits }) => Object.keys(limits)))]
  return []
}

/** Exact in major units, before commitment and rounding. */
function exactAmount(price: Price, usage: PricedUsage): ExactAmount {
  switch (price.model) {
    case 'flat':
      return rateFlat(price)
    case 'per-unit':
      return ratePerUnit(price, usage)
    case 'graduated':
      return rateGraduated(price, usage)
    case 'volume':
      return rateVolume(price, usage)
    case 'graduated-percentage':
      return rateGraduatedPercentage(price, usage)
    case 'package':
      return ratePackage(price, usage)
    case 'percentage':
      return ratePercentage(price, usage)
    case 'blocks':
      return rateBlocks(price, usage)
    case 'capacity':
      return rateCapacity(price, usage)
    case 'graduated-prorated':
      return rateGraduatedProrated(price, usage)
  }
}

/** Quantities as the price sees them; each cell and each unit is rounded by itself. */
function roundUsage(usage: PricedUsage, rounding: QuantityRounding | undefined): PricedUsage {
  if (rounding === undefined) return usage
  const rounded = (quantity: Decimal) => roundQuantity(quantity, rounding)
  const { matched, units } = usage
  return {
    ...usage,
    quantity: rounded(usage.quantity),
    ...(matched && { matched: matched.map((each) => ({ ...each, quantity: rounded(each.quantity) })) }),
    ...(units && { units: new Map([...units].map(([name, quantity]) => [name, rounded(quantity)])) }),
  }
}

function usageSteps(price: Price, given: PricedUsage, rounded: PricedUsage): Step[] {
  if (price.model === 'flat') return []
  const { usageRounding } = price
  const steps: Step[] = [{ step: 'usage', quantity: given.quantity }]
  if (usageRounding !== undefined)
    steps.push({ step: 'usage-rounding', mode: usageRounding.mode, quantity: rounded.quantity })
  return steps
}

const factorSteps = ({ numerator, denominator }: Fraction): Step[] =>
  numerator === denominator
    ? []
    : [{ step: 'proration', numerator: `${numerator}`, denominator: `${denominator}` }]
