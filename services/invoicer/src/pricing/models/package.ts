import { decimal, multiply, wholeParts } from '@tidemark/schemas/decimal.ts'
import type { PriceOf } from '@tidemark/schemas/price.ts'
import type { ExactAmount, PricedUsage } from '../rated.ts'
import { chargedRange } from './included-quantity.ts'

type Package = Pick<PriceOf<'package'>, 'packageSize' | 'packagePrice' | 'freeUnits' | 'packageRounding'>

/** Whole packages: a started one counts as whole, or with `packageRounding` down not at all. Free units come off first. */
export function ratePackage(price: Package, usage: PricedUsage): ExactAmount {
  const { from, to } = chargedRange(usage, price.freeUnits)
  const size = decimal(price.packageSize)
  const direction = price.packageRounding ?? 'up'
  const packages = {
    // A package that an earlier segment of the period has started is paid.
    coefficient: wholeParts(to, size, direction) - wholeParts(from, size, direction),
    scale: 0,
  }
  const packagePrice = decimal(price.packagePrice)
  const exact = multiply(packages, packagePrice)
  return {
    exact,
    steps: [{ step: 'packages', size, packages, rounding: direction, packagePrice, amount: exact }],
  }
}
