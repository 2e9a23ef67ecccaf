import type { Micros } from '@tidemark/schemas/money.ts'
import { unbillable } from '../pricing/billable-meter.ts'
import { needsOf } from '../pricing/rate.ts'
import type { DueInvoice } from './due-invoice.ts'
import { planOf } from './subscription.ts'
import { phaseOfPeriod } from './terms.ts'
import { pricesUntil, type ReadUsage, usageNeeds } from './usage-needs.ts'

/** Events of one price and period that are taken one by one: more would not fit into memory beside others. */
export const mostEvents = 1_000_000

export type RefusalReason = { readonly code: string; readonly reason: string }

/** Why a period cannot be invoiced from what was read of it; values that nobody can read are never billed as nothing. */
export const refusalOf = (due: DueInvoice, usage: readonly ReadUsage[]): RefusalReason | undefined =>
  due.kind === 'advance'
    ? undefined
    : (unknownMeter(due, usage) ??
      usage.map(unbillableUsage).find(Boolean) ??
      unsupportedPrice(due) ??
      otherCurrency(due))

function unknownMeter(
  { subscription, period: served, whole }: DueInvoice,
  usage: readonly ReadUsage[],
): RefusalReason | undefined {
  const read = new Set(usage.map(({ need }) => need.id))
  const missing = usageNeeds(subscription, { served, whole }).find(({ id }) => !read.has(id))
  return missing && { code: 'unknown_meter', reason: `there is no meter "${missing.meter}" any more` }
}

function unbillableUsage({ meter, unreadable, need, events }: ReadUsage): RefusalReason | undefined {
  // A meter's newer version may aggregate otherwise than the one that the price was made for.
  const reason = unbillable(meter.key, meter.aggregation)
  if (reason !== undefined) return { code: 'unbillable_meter', reason }
  if (unreadable > 0n)
    return {
      code: 'unreadable_usage',
      reason: `${unreadable} events have no readable quantity at "${meter.valuePath}" of meter "${meter.key}"`,
    }
  const lost = [...need.dimensions, ...Object.keys(need.filter)].find(
    (name) => !(name in (meter.dimensions ?? {})),
  )
  if (lost !== undefined)
    return { code: 'unknown_dimension', reason: `meter "${meter.key}" has no dimension "${lost}" any more` }
  if (need.events && events === undefined)
    return {
      code: 'too_many_events',
      reason: `meter "${meter.key}" has more than ${mostEvents} events in the period, which a price that charges each of them does not take: use one of another model`,
    }
  return undefined
}

function unsupportedPrice({ subscription, period }: DueInvoice): RefusalReason | undefined {
  const found = pricesUntil(subscription, period).find(({ price }) => needsOf(price).changes)
  return (
    found && {
      code: 'unsupported_price',
      reason: `price "${found.price.id}" is of model ${found.price.model}, which previews calculate and invoices do not yet`,
    }
  )
}

/** Of an invoice in micro-units, a million million of its currency: below what a BIGINT holds, so that sums fit too. */
const mostMicros = 10n ** 18n

export const magnitude = (amount: Micros): Micros => (amount < 0n ? -amount : amount)

/** No table holds such an amount, and the invoices that close together with it would not be stored either. */
export const unstorable = (amounts: readonly Micros[]): RefusalReason | undefined =>
  amounts.every((amount) => magnitude(amount) < mostMicros)
    ? undefined
    : {
        code: 'amount_too_large',
        reason:
          'its charges come to a million million of the currency or more: mend the price or the quantity',
      }

/** Commitments are said in the plan's own currency. */
function otherCurrency(due: DueInvoice): RefusalReason | undefined {
  const { plan } = planOf(due.subscription, phaseOfPeriod(due))
  const { currency } = due.subscription
  if (plan.currency === currency || (!plan.minimum && !plan.maximum)) return undefined
  return {
    code: 'currency_mismatch',
    reason: `plan "${plan.id}" has its minimum or maximum in ${plan.currency}, the customer pays in ${currency}`,
  }
}
