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
  const index = indexFilters(filters)
  const base: FilterQuantity = { quantity: zero, unitPrice: undefined }
  const found: FilterQuantity[] = filters.map(({ unitPrice }) => ({ quantity: zero, unitPrice }))
  for (const { match, quantity } of matched) {
    const cell = found[mostSpecific(index, match)] ?? base
    cell.quantity = add(cell.quantity, quantity)
  }
  return [...found, base]
}

/** Filters that name the same dimensions: the place of each in the list by its values. */
type FilterGroup = { readonly names: readonly string[]; readonly places: Map<string, number> }

/** A price may have a thousand filters and a customer as many combinations of values: each is looked up, not tried. */
function indexFilters(filters: Filters): FilterGroup[] {
  const groups = new Map<string, FilterGroup>()
  for (const [place, { match }] of filters.entries()) {
    const names = Object.keys(match).sort()
    const key = JSON.stringify(names)
    const group = groups.get(key) ?? { names, places: new Map<string, number>() }
    groups.set(key, group)
    const values = valuesOf(names, match)
    if (!group.places.has(values)) group.places.set(values, place)
  }
  return [...groups.values()].toSorted((a, b) => b.names.length - a.names.length)
}

/** @returns -1 without a filter whose every dimension has the asked value */
function mostSpecific(groups: readonly FilterGroup[], match: Readonly<Record<string, string>>): number {
  let best = -1
  let named = 0
  for (const { names, places } of groups) {
    if (names.length < named) break
    const place = places.get(valuesOf(names, match))
    if (place === undefined || (best !== -1 && best < place)) continue
    best = place
    named = names.length
  }
  return best
}

const valuesOf = (names: readonly string[], match: Readonly<Record<string, string>>): string =>
  JSON.stringify(names.map((name) => match[name] ?? null))
