import { type Static, Type } from 'typebox'
import { type Decimal, powerOfTen, round } from './decimal.ts'

/** What happens to a quantity after all events of a window have been aggregated. */
export const quantityRoundingSchema = Type.Object(
  {
    mode: Type.Union([Type.Literal('round'), Type.Literal('ceil'), Type.Literal('floor')], {
      description: 'round: half away from zero; ceil: never below the quantity; floor: never above it',
    }),
    precision: Type.Integer({
      minimum: -28,
      maximum: 12,
      description: 'Decimals that stay; -2 leaves whole hundreds',
    }),
  },
  { additionalProperties: false },
)

export type QuantityRounding = Static<typeof quantityRoundingSchema>

/** Rounds to the precision, which may lie in front of the point; without a rounding the value as it is. */
export function roundQuantity(value: Decimal, rounding: QuantityRounding | undefined): Decimal {
  if (rounding === undefined || value.scale <= rounding.precision) return value
  const { mode, precision } = rounding
  const step = powerOfTen(value.scale - precision)
  const steps =
    mode === 'round'
      ? round({ ...value, scale: value.scale - precision }, 0).coefficient
      : towards(mode, value.coefficient, step)
  return precision >= 0
    ? { coefficient: steps, scale: precision }
    : { coefficient: steps * powerOfTen(-precision), scale: 0 }
}

/** Division of bigint cuts towards zero, which is up for what is negative. */
function towards(mode: 'ceil' | 'floor', coefficient: bigint, step: bigint): bigint {
  const cut = coefficient / step
  const rest = coefficient % step
  if (mode === 'ceil') return rest > 0n ? cut + 1n : cut
  return rest < 0n ? cut - 1n : cut
}
