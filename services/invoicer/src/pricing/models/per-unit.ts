import { add, type Decimal, decimal, multiply, zero } from '@tidemark/schemas/decimal.ts'
import type { PriceOf } from '@tidemark/schemas/price.ts'
import type { ExactAmount, MatchedQuantity, PricedUsage, Step } from '../rated.ts'
import { chargedPart } from './included-quantity.ts'

type PerUnit = Pick<PriceOf<'per-unit'>, 'unitPrice' | 'freeUnits' | 'filters'>
type Filters = NonNullable<PerUnit['filters']>

/** Quantity times unit price, or with filters a matrix: the unit price follows from an event’s dimensions. */
export function ratePerUnit(price: PerUnit, usage: PricedUsage): ExactAmount {
  if (price.filters !== undefined && price.filters.length > 0) return rateMatrix(price, price.filters, usage)
  const quantity = chargedPart(usage.quantity, price.freeUnits, usage.already)
  const unitPrice = decimal(price.unitPrice)
  const exact = multiply(quantity, unitPrice)
  return { exact, steps: [{ step: 'units', quantity, unitPrice, amount: exact }] }
}

/**
 * Each event is priced once, by the most specific filter that matches it (most dimensions named; of equals the first), or by
 * the base price. Free units come off the filters in their order, off the base price last.
 */
function rateMatrix(price: PerUnit, filters: Filters, usage: PricedUsage): ExactAmount {
  const { matched = [{ match: {}, quantity: usage.quantity }], already = zero } = usage
  const quantities = quantitiesByFilter(filters, matched)
  let used = already
  let exact = zero
  const steps: Step[] = []
  for (const [index, { quantity: gross, unitPrice: text }] of quantities.entries()) {
    const quantity = chargedPart(gross, price.freeUnits, used)
    used = add(used, gross)
    const unitPrice = decimal(text ?? price.unitPrice)
    const amount = multiply(quantity, unitPrice)
    exact = add(exact, amount)
    const name = text === undefined ? { step: 'base' } : { step: 'filter', filter: String(index + 1) }
    steps.push({ ...name, quantity, unitPrice, amount })
  }
  return { exact, steps }
}

type FilterQuantity = { quantity: Decimal; readonly unitPrice: string | undefined }

/** One per filter in their order, then the base. */
function quantitiesByFilter(filters: Filters, matched: readonly MatchedQuantity[]): FilterQuantity[] {
  const base: FilterQuantity = { quantity: zero, unitPrice: undefined }
  const found: FilterQuantity[] = filters.map(({ unitPrice }) => ({ quantity: zero, unitPrice }))
  for (const { match, quantity } of matched) {
    const cell = found[mostSpecific(filters, match)] ?? base
    cell.quantity = add(cell.quantity, quantity)
  }
  return [...found, base]
}

/** @returns -1 without a filter whose every dimension has the asked value */
function mostSpecific(filters: Filters, values: Readonly<Record<string, string>>): number {
  let best = -1
  let most = 0
  for (const [index, { match }] of filters.entries()) {
    const asked = Object.entries(match)
    if (asked.length <= most || asked.some(([name, value]) => values[name] !== value)) continue
    best = index
    most = asked.length
  }
  return best
}
