import { type Decimal, zero } from '@tidemark/schemas/decimal.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import type { PriceModel } from '@tidemark/schemas/price.ts'
import { needsOf, ratePrice } from './rate.ts'

/** One line of an invoice, in the order of the plan's prices. */
export type Line = {
  readonly price: string
  readonly model: PriceModel
  readonly description: string
  /** What was metered; a fee has none. */
  readonly usage: { readonly meter: string; readonly quantity: Decimal } | undefined
  readonly amountMicros: Micros
}

/** The lines of one full period from quantities by meter; a meter without a quantity has none used. */
export function ratePlan(plan: Plan, quantities: ReadonlyMap<string, Decimal>): Line[] {
  return plan.prices.map((price) => {
    const meter = price.model === 'flat' ? undefined : price.meter
    const quantity = meter === undefined ? zero : (quantities.get(meter) ?? zero)
    return {
      price: price.id,
      model: price.model,
      description: price.description ?? price.id,
      usage: meter === undefined ? undefined : { meter, quantity },
      amountMicros: ratePrice(price, { quantity }, price.currency ?? plan.currency).amountMicros,
    }
  })
}

export const totalOf = (lines: readonly Line[]): Micros =>
  lines.reduce((sum, { amountMicros }) => sum + amountMicros, 0n)

/** The meters that a plan's prices name, each once. */
export const metersOf = (plan: Plan): string[] => [
  ...new Set(plan.prices.flatMap((price) => needsOf(price).meters)),
]
