import type { Plan, Price } from '@tidemark/schemas/catalogue.ts'
import { type Decimal, zero } from '@tidemark/schemas/decimal.ts'
import { type Currency, type Micros, roundToMinorUnit } from '@tidemark/schemas/money.ts'
import { rateFlat } from './flat.ts'
import { rateGraduated } from './graduated.ts'
import { ratePerUnit } from './per-unit.ts'

/** One line of an invoice, in the order of the plan's prices. */
export type Line = {
  readonly price: string
  readonly model: Price['model']
  readonly description: string
  /** What was metered; a fee has none. */
  readonly usage: { readonly meter: string; readonly quantity: Decimal } | undefined
  readonly amountMicros: Micros
}

/**
 * The lines of one full period: a pure function of the plan's version and the quantities by meter; a meter without a
 * quantity has none used. Each line is rounded here, once, half away from zero to the currency's minor unit (rule 6).
 */
export function ratePlan(plan: Plan, quantities: ReadonlyMap<string, Decimal>): Line[] {
  return plan.prices.map((price) => {
    const quantity = price.model === 'flat' ? undefined : (quantities.get(price.meter) ?? zero)
    return {
      price: price.id,
      model: price.model,
      description: price.description ?? price.id,
      usage: price.model === 'flat' || quantity === undefined ? undefined : { meter: price.meter, quantity },
      amountMicros: ratePrice(price, quantity ?? zero, plan.currency),
    }
  })
}

/** What one price makes of a quantity, rounded; a flat fee takes no notice of it. */
export function ratePrice(price: Price, quantity: Decimal, currency: Currency): Micros {
  return roundToMinorUnit(exactAmount(price, quantity), currency)
}

function exactAmount(price: Price, quantity: Decimal): Decimal {
  switch (price.model) {
    case 'flat':
      return rateFlat(price)
    case 'per-unit':
      return ratePerUnit(price, quantity)
    case 'graduated':
      return rateGraduated(price, quantity)
  }
}

export const totalOf = (lines: readonly Line[]): Micros =>
  lines.reduce((sum, { amountMicros }) => sum + amountMicros, 0n)

/** The meters that a plan's prices name, each once. */
export const metersOf = (plan: Plan): string[] => [
  ...new Set(plan.prices.flatMap((price) => (price.model === 'flat' ? [] : [price.meter]))),
]
