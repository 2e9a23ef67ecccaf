import type { CatalogueFault } from '@tidemark/schemas/catalogue.ts'
import { compare, decimal, zero } from '@tidemark/schemas/decimal.ts'
import type { BlockTier, Price, PriceOf } from '@tidemark/schemas/price.ts'

/** Tiers go upwards without an overlap, and the last one has no end: every quantity has its price. */
export function tierFaults(price: Price, path: string): CatalogueFault[] {
  switch (price.model) {
    case 'graduated':
    case 'volume':
    case 'graduated-prorated':
    case 'graduated-percentage':
      return boundFaults(price.tiers, `${path}.tiers`)
    case 'blocks':
      return blockFaults(price, path)
    case 'capacity':
      return capacityFaults(price, path)
    default:
      return []
  }
}

function boundFaults(tiers: readonly { upTo: string | null }[], path: string): CatalogueFault[] {
  let below = zero
  return tiers.flatMap(({ upTo }, index) => {
    const at = `${path}[${index}].upTo`
    const isLast = index === tiers.length - 1
    if (upTo === null)
      return isLast ? [] : [{ path: at, reason: 'only the last tier may be without an end: name a quantity' }]
    const faults = isLast ? [{ path: at, reason: 'the last tier has no end: write null' }] : []
    if (compare(decimal(upTo), below) <= 0)
      faults.push({
        path: at,
        reason: `${upTo} is not above the tier before it; tiers go upwards from above 0`,
      })
    below = decimal(upTo)
    return faults
  })
}

function blockFaults({ tiers, units }: PriceOf<'blocks'>, path: string): CatalogueFault[] {
  if ((tiers === undefined) === (units === undefined))
    return [{ path, reason: 'blocks are priced either by tiers or by units: write one of them' }]
  if (tiers) return endFaults(tiers, `${path}.tiers`)
  return Object.entries(units ?? {}).flatMap(([unit, own]) => endFaults(own, `${path}.units.${unit}`))
}

const endFaults = (tiers: readonly BlockTier[], path: string): CatalogueFault[] =>
  tiers.flatMap(({ max }, index) => {
    const isLast = index === tiers.length - 1
    if ((max === null) === isLast) return []
    const reason = isLast
      ? 'the last tier has no end: write null'
      : 'only the last tier may be without an end: name how many blocks it has'
    return [{ path: `${path}[${index}].max`, reason }]
  })

/** Each tier limits the same units, higher than the one before; the last holds every peak. */
function capacityFaults({ tiers }: PriceOf<'capacity'>, path: string): CatalogueFault[] {
  const units = [...new Set(tiers.flatMap(({ limits }) => Object.keys(limits)))]
  return tiers.flatMap(({ limits }, index) =>
    units.flatMap((unit) => {
      const at = `${path}.tiers[${index}].limits.${unit}`
      const limit = limits[unit]
      if (limit === undefined)
        return [{ path: at, reason: 'each tier limits the same units: name this one, null for no limit' }]
      if (index === tiers.length - 1)
        return limit === null ? [] : [{ path: at, reason: 'the last tier holds every peak: write null' }]
      const next = tiers[index + 1]?.limits[unit]
      if (limit === null || next === undefined || next === null) return []
      return compare(decimal(limit), decimal(next)) <= 0
        ? []
        : [{ path: at, reason: `${limit} is above the limit of the next tier; limits go upwards` }]
    }),
  )
}
