import { compare, decimal, zero } from '@tidemark/schemas/decimal.ts'
import { type Currency, currencyExponent } from '@tidemark/schemas/money.ts'
import type { BlockTier, Price, PriceOf } from '@tidemark/schemas/price.ts'
import { needsOf } from './rate.ts'

/** Where in the price, such as `tiers[1].upTo`, and what is wrong and would be valid. */
export type PriceFault = { readonly path: string; readonly reason: string }

/**
 * What the shape of a price cannot say: tiers that do not follow each other, amounts that the currency cannot hold, fields
 * that exclude each other. Whether its meters and dimensions exist is for the catalogue to say.
 */
export function unsoundFields(price: Price, currency: Currency): PriceFault[] {
  return [...ofModel(price), ...amountFaults(price, price.currency ?? currency), ...fieldFaults(price)]
}

function ofModel(price: Price): PriceFault[] {
  switch (price.model) {
    case 'graduated':
    case 'volume':
    case 'graduated-percentage':
    case 'graduated-prorated':
      return boundFaults(price.tiers)
    case 'blocks':
      return blockFaults(price)
    case 'capacity':
      return capacityFaults(price)
    case 'per-unit':
      return filterFaults(price)
    case 'percentage':
      return eventFaults(price)
    default:
      return []
  }
}

function boundFaults(tiers: readonly { readonly upTo: string | null }[]): PriceFault[] {
  let below = zero
  return tiers.flatMap(({ upTo }, index): PriceFault[] => {
    const path = `tiers[${index}].upTo`
    const isLast = index === tiers.length - 1
    if (upTo === null)
      return isLast ? [] : [{ path, reason: 'only the last tier may be without an end: name a quantity' }]
    const rises = compare(decimal(upTo), below) > 0
    const least = `above ${index === 0 ? '0' : tiers[index - 1]?.upTo}`
    below = decimal(upTo)
    return [
      ...(rises ? [] : [{ path, reason: `${upTo} is not ${least}; each tier ends above the one before it` }]),
      ...(isLast ? [{ path, reason: 'the last tier has no end: write null' }] : []),
    ]
  })
}

function blockFaults({ tiers, units }: PriceOf<'blocks'>): PriceFault[] {
  if ((tiers === undefined) === (units === undefined))
    return [{ path: 'tiers', reason: 'blocks have either tiers, for one quantity, or units, for several' }]
  const lists: [string, readonly BlockTier[]][] =
    tiers === undefined
      ? Object.entries(units ?? {}).map(([unit, list]) => [`units.${unit}`, list])
      : [['tiers', tiers]]
  return lists.flatMap(([path, list]) =>
    list.flatMap(({ max }, index): PriceFault[] => {
      const at = `${path}[${index}].max`
      if (max === null && index < list.length - 1)
        return [{ path: at, reason: 'only the last tier may be without an end: name a number of blocks' }]
      return max !== null && decimal(max).coefficient === 0n
        ? [{ path: at, reason: 'must be at least 1 block, or null in the last tier' }]
        : []
    }),
  )
}

function capacityFaults({ tiers }: PriceOf<'capacity'>): PriceFault[] {
  const names = new Set(tiers.flatMap(({ limits }) => Object.keys(limits)))
  return tiers.flatMap(({ limits }, index): PriceFault[] =>
    [...names].flatMap((name): PriceFault[] => {
      const path = `tiers[${index}].limits.${name}`
      const limit = limits[name]
      if (limit === undefined)
        return [{ path, reason: 'is missing: every tier limits the same units; null is no limit' }]
      const before = tiers[index - 1]?.limits[name]
      const falls =
        before === null
          ? limit !== null
          : typeof before === 'string' && limit !== null && isBelow(limit, before)
      return falls
        ? [
            {
              path,
              reason: `${limit} is below the limit of the tier before it (${before ?? 'none'}); limits only rise`,
            },
          ]
        : []
    }),
  )
}

const isBelow = (a: string, b: string): boolean => compare(decimal(a), decimal(b)) < 0

function filterFaults({ filters = [] }: PriceOf<'per-unit'>): PriceFault[] {
  const seen = new Map<string, number>()
  return filters.flatMap(({ match }, index) => {
    const key = JSON.stringify(Object.entries(match).sort())
    const first = seen.get(key)
    if (first === undefined) seen.set(key, index)
    return first === undefined
      ? []
      : [
          {
            path: `filters[${index}].match`,
            reason: `matches the same as filters[${first}]; each needs its own`,
          },
        ]
  })
}

function eventFaults({ minPerEvent, maxPerEvent }: PriceOf<'percentage'>): PriceFault[] {
  if (minPerEvent === undefined || maxPerEvent === undefined || !isBelow(maxPerEvent, minPerEvent)) return []
  return [{ path: 'maxPerEvent', reason: `${maxPerEvent} is below minPerEvent, ${minPerEvent}` }]
}

/** Fields that make no sense together. */
function fieldFaults(price: Price): PriceFault[] {
  if (price.model === 'flat') return []
  const needs = needsOf(price)
  const isMetered = needs.meters.length > 0
  const hasUnits = isMetered && price.meter === undefined
  const isUnits = price.model === 'capacity' || (price.model === 'blocks' && price.units !== undefined)
  const told: [boolean, string, string][] = [
    [isUnits && price.meter !== undefined, 'meter', 'leave it out: the names of the units are the meters'],
    [hasUnits && price.carryTiers === true, 'carryTiers', 'leave it out: prices of several units start anew'],
    [
      isMetered && price.timing === 'advance',
      'timing',
      'usage is known afterwards: leave it out, or write arrears',
    ],
  ]
  return told.flatMap(([isFault, path, reason]) => (isFault ? [{ path, reason }] : []))
}

/** Amounts that are due as they stand are whole minor units; what is multiplied may be finer than the currency. */
function amountFaults(price: Price, currency: Currency): PriceFault[] {
  const exponent = currencyExponent(currency)
  return amountsOf(price).flatMap(([path, amount]) => {
    const decimals = decimal(amount).scale
    return decimals <= exponent
      ? []
      : [{ path, reason: `${amount} has ${decimals} decimals; an amount in ${currency} has ${exponent}` }]
  })
}

function amountsOf(price: Price): [string, string][] {
  if (price.model === 'flat') return [['amount', price.amount]]
  const found: [string, string | undefined][] = [['commitment.minimum', price.commitment?.minimum]]
  if ('tiers' in price)
    for (const [index, tier] of (price.tiers ?? []).entries()) {
      if ('flatFee' in tier) found.push([`tiers[${index}].flatFee`, tier.flatFee])
      if ('limits' in tier) found.push([`tiers[${index}].price`, tier.price])
    }
  return found.flatMap(([path, amount]): [string, string][] => (amount === undefined ? [] : [[path, amount]]))
}
