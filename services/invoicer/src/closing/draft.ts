import type { Decimal } from '@tidemark/schemas/decimal.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import { roundQuantity } from '@tidemark/schemas/quantity-rounding.ts'
import type { Mapping } from '../catalogue/known.ts'
import { unbillable } from '../pricing/billable-meter.ts'
import { type Line, metersOf, ratePlan, totalOf } from '../pricing/rate-plan.ts'
import type { DuePeriod } from './due.ts'
import { quantityOf } from './readings.ts'
import type { MeteredUsage } from './usage.ts'

/** Usage of one meter that an invoice rests on. */
export type BilledUsage = MeteredUsage & { readonly meter: MeterVersion }

/** With the quantity that a price sees, rounded as the meter says. */
type RatedUsage = BilledUsage & { readonly quantity: Decimal }

/** An invoice as computed, before it has a number: preview and close are the same up to here. */
export type Draft = {
  readonly due: DuePeriod
  /** Clipped to the period. */
  readonly mappings: readonly Mapping[]
  readonly usage: readonly RatedUsage[]
  readonly lines: readonly Line[]
  readonly totalMicros: Micros
}

/** Why one subscription's period stays open while the others close. */
export type Refusal = { readonly due: DuePeriod; readonly code: string; readonly reason: string }

/** Rates one period. A meter's usage must stand in `usage`; values that nobody can read are never billed as nothing. */
export function draftInvoice(
  due: DuePeriod,
  mappings: readonly Mapping[],
  metered: readonly BilledUsage[],
): Draft | Refusal {
  const { plan } = due.subscription.plan
  const usage = metered.map((each) => ({
    ...each,
    quantity: roundQuantity(quantityOf(each.meter, each.readings), each.meter.rounding),
  }))
  // A meter's newer version may aggregate otherwise than the one that the price was made for.
  const reason = usage.map(({ meter }) => unbillable(meter.key, meter.aggregation)).find(Boolean)
  if (reason !== undefined) return { due, code: 'unbillable_meter', reason }
  const unread = usage.find(({ unreadable }) => unreadable > 0n)
  if (unread)
    return {
      due,
      code: 'unreadable_usage',
      reason: `${unread.unreadable} events have no readable quantity at "${unread.meter.valuePath}" of meter "${unread.meter.key}"`,
    }
  const missing = metersOf(plan).find((key) => !usage.some(({ meter }) => meter.key === key))
  if (missing !== undefined)
    return { due, code: 'unknown_meter', reason: `there is no meter "${missing}" any more` }
  const lines = ratePlan(plan, new Map(usage.map(({ meter, quantity }) => [meter.key, quantity])))
  const totalMicros = totalOf(lines)
  if (totalMicros < 0n)
    return { due, code: 'negative_total', reason: 'corrections exceed the charges: the total is below zero' }
  return { due, mappings, usage, lines, totalMicros }
}
