import {
  add,
  coefficientAt,
  compare,
  type Decimal,
  divideHalfAwayFromZero,
  zero,
} from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'

/** A value and what orders it among others: at one instant source, then id, by their bytes. */
export type DatedValue = {
  readonly time: Micros1970
  readonly source: string
  readonly id: string
  readonly value: Decimal
}

/** What was read of some events: enough to combine parts into the quantity of the whole, however it was divided. */
export type Readings = {
  /** Values that could be read. */
  readonly count: bigint
  readonly sum: Decimal
  readonly least: Decimal | undefined
  readonly greatest: Decimal | undefined
  readonly latest: DatedValue | undefined
}

export const noReadings: Readings = {
  count: 0n,
  sum: zero,
  least: undefined,
  greatest: undefined,
  latest: undefined,
}

export const combine = (a: Readings, b: Readings): Readings => ({
  count: a.count + b.count,
  sum: add(a.sum, b.sum),
  least: later(a.least, b.least, (x, y) => compare(y, x)),
  greatest: later(a.greatest, b.greatest, compare),
  latest: later(a.latest, b.latest, byTime),
})

function later<Value>(
  a: Value | undefined,
  b: Value | undefined,
  order: (a: Value, b: Value) => number,
): Value | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return order(a, b) < 0 ? b : a
}

const byTime = (a: DatedValue, b: DatedValue): number =>
  a.time - b.time || byBytes(a.source, b.source) || byBytes(a.id, b.id)

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The quantity that a price sees; nothing was used where nothing was read. */
export function quantityOf({ aggregation }: Pick<Meter, 'aggregation'>, readings: Readings): Decimal {
  const { count, sum, least, greatest, latest } = readings
  switch (aggregation) {
    case 'min':
      return least ?? zero
    case 'max':
      return greatest ?? zero
    case 'latest':
      return latest?.value ?? zero
    case 'average':
      // To 12 decimals, as the usage query answers.
      return count === 0n
        ? zero
        : { coefficient: divideHalfAwayFromZero(coefficientAt(sum, 9) * 1_000n, count), scale: 12 }
    default:
      return sum
  }
}
