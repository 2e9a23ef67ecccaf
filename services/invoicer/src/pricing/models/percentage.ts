import {
  add,
  compare,
  type Decimal,
  decimal,
  least,
  multiply,
  subtract,
  zero,
} from '@tidemark/schemas/decimal.ts'
import type { PriceOf } from '@tidemark/schemas/price.ts'
import { type ExactAmount, type PricedUsage, type Step, tracedEvents } from '../rated.ts'
import { chargedPart } from './included-quantity.ts'
import { percent } from './percent.ts'

type Percentage = Pick<
  PriceOf<'percentage'>,
  'rate' | 'fixedFee' | 'freeEvents' | 'freeAmount' | 'minPerEvent' | 'maxPerEvent'
>

/** Whether the sum of the values is not enough, because each event pays for itself. */
export const chargesByEvent = (price: Percentage): boolean =>
  [price.fixedFee, price.freeEvents, price.minPerEvent, price.maxPerEvent].some((each) => each !== undefined)

/**
 * A share of each event’s value and a fixed fee, together bounded by minimum and maximum. The allowance ends at whichever
 * limit is reached first, free events or free amount; an event that is partly free pays the fee and is bounded, one that is
 * wholly free is not. A value below zero (money given back) returns its share alone.
 */
export function ratePercentage(price: Percentage, usage: PricedUsage): ExactAmount {
  const rate = percent(price.rate)
  if (chargesByEvent(price)) return rateEvents(price, rate, usage)
  const base = chargedPart(usage.quantity, price.freeAmount, usage.already)
  const exact = multiply(base, rate)
  return { exact, steps: [{ step: 'share', base, rate: price.rate, amount: exact }] }
}

function rateEvents(price: Percentage, rate: Decimal, usage: PricedUsage): ExactAmount {
  const { events = [], already = zero, alreadyEvents = 0 } = usage
  const charge = chargeOf(price, rate)
  const hasAllowance = price.freeEvents !== undefined || price.freeAmount !== undefined
  const freeEvents = price.freeEvents === undefined ? Number.POSITIVE_INFINITY : Number(price.freeEvents)
  let freeAmount = price.freeAmount === undefined ? undefined : subtract(decimal(price.freeAmount), already)
  let exact = zero
  const steps: Step[] = []
  for (const [index, value] of events.entries()) {
    const isAllowed =
      hasAllowance &&
      value.coefficient >= 0n &&
      alreadyEvents + index < freeEvents &&
      (freeAmount === undefined || freeAmount.coefficient > 0n)
    const free = isAllowed ? (freeAmount === undefined ? value : least(value, freeAmount)) : zero
    if (freeAmount !== undefined && isAllowed) freeAmount = subtract(freeAmount, free)
    const base = subtract(value, free)
    const isFree = isAllowed && base.coefficient === 0n
    const amount = isFree ? zero : charge(base)
    exact = add(exact, amount)
    if (index < tracedEvents) steps.push({ step: 'event', event: String(index + 1), value, base, amount })
  }
  if (events.length > tracedEvents)
    steps.push({ step: 'events', count: String(events.length), shown: String(tracedEvents), amount: exact })
  return { exact, steps }
}

/** What one event pays for the part of its value that is not free. */
function chargeOf(price: Percentage, rate: Decimal): (base: Decimal) => Decimal {
  const fee = decimal(price.fixedFee ?? '0')
  const least = price.minPerEvent === undefined ? undefined : decimal(price.minPerEvent)
  const most = price.maxPerEvent === undefined ? undefined : decimal(price.maxPerEvent)
  return (base) => {
    const share = multiply(base, rate)
    if (base.coefficient < 0n) return share
    const charge = add(share, fee)
    if (least !== undefined && compare(charge, least) < 0) return least
    return most !== undefined && compare(charge, most) > 0 ? most : charge
  }
}
