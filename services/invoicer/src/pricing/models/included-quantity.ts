import {
  add,
  compare,
  type Decimal,
  decimal,
  greatest,
  least,
  subtract,
  zero,
} from '@tidemark/schemas/decimal.ts'
import type { PricedUsage } from '../rated.ts'

/** The part of a period's usage that this line charges: what lies above `from` up to `to`, free units taken off. */
export type ChargedRange = {
  readonly from: Decimal
  readonly to: Decimal
  /** Whether an earlier segment of the period was charged already, be it for nothing. */
  readonly goesOn: boolean
}

/**
 * Free units come off first, and what an earlier segment of the period has used goes on from there (`carryTiers`). A
 * quantity below zero charges nothing.
 */
export function chargedRange(
  { quantity, already }: Pick<PricedUsage, 'quantity' | 'already'>,
  freeUnits = '0',
): ChargedRange {
  const free = decimal(freeUnits)
  const before = already ?? zero
  const from = above(before, free)
  const to = greatest(from, above(add(before, quantity), free))
  return { from, to, goesOn: already !== undefined }
}

/** What is left of a quantity after free units that earlier segments may have used; below zero nothing is taken off. */
export function chargedPart(
  quantity: Decimal,
  freeUnits: string | undefined,
  already: Decimal = zero,
): Decimal {
  if (freeUnits === undefined) return quantity
  const left = greatest(subtract(decimal(freeUnits), greatest(already, zero)), zero)
  return subtract(quantity, least(greatest(quantity, zero), left))
}

const above = (quantity: Decimal, free: Decimal): Decimal =>
  compare(quantity, free) > 0 ? subtract(quantity, free) : zero
