import type { Price } from '@tidemark/schemas/price.ts'
import { needsOf } from '../pricing/rate.ts'

const filterOf = (price: Price): Readonly<Record<string, readonly string[]>> =>
  price.model === 'flat' ? {} : (price.filter ?? {})

/** Whether no event can pass both filters: they name one dimension and have no value of it in common. */
const areDisjoint = (a: Price, b: Price): boolean => {
  const other = filterOf(b)
  return Object.entries(filterOf(a)).some(([dimension, values]) => {
    const others = other[dimension]
    return others !== undefined && !values.some((value) => others.includes(value))
  })
}

/** The meters whose events two prices would both bill. */
export function metersBilledTwice(a: Price, b: Price): string[] {
  if (areDisjoint(a, b)) return []
  const others = needsOf(b).meters
  return needsOf(a).meters.filter((meter) => others.includes(meter))
}
