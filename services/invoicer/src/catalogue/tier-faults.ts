import type { BlockTier, Price } from '@tidemark/schemas/price.ts'
import type { PriceFault } from '../pricing/price-faults.ts'

/**
 * In a plan every quantity has its price by its own tier: blocks and capacities end with a tier that has no end. (A preview
 * goes on with the last one.)
 */
export function endFaults(price: Price): PriceFault[] {
  if (price.model === 'blocks')
    return [
      ...(price.tiers ? endOf(price.tiers, 'tiers') : []),
      ...Object.entries(price.units ?? {}).flatMap(([unit, tiers]) => endOf(tiers, `units.${unit}`)),
    ]
  if (price.model !== 'capacity') return []
  const last = price.tiers.length - 1
  return Object.entries(price.tiers[last]?.limits ?? {}).flatMap(([unit, limit]) =>
    limit === null
      ? []
      : [{ path: `tiers[${last}].limits.${unit}`, reason: 'the last tier holds every peak: write null' }],
  )
}

function endOf(tiers: readonly BlockTier[], path: string): PriceFault[] {
  const last = tiers.length - 1
  return tiers[last]?.max === null
    ? []
    : [{ path: `${path}[${last}].max`, reason: 'the last tier has no end: write null' }]
}
