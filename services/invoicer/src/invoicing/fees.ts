import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import { compare, type Decimal, decimal, multiply } from '@tidemark/schemas/decimal.ts'
import type { Currency, Micros } from '@tidemark/schemas/money.ts'
import { whole as all, partOfDecimal } from '../pricing/fraction.ts'
import { proration } from '../pricing/proration.ts'
import { ratePrice } from '../pricing/rate.ts'
import type { Fraction, TraceStep } from '../pricing/rated.ts'
import type { Phase } from '../subscriptions/timeline.ts'
import { ofPrice, type UnnamedCharge } from './line.ts'
import { type Window, windowsEnding } from './periods.ts'
import { feeSegments, hasFees, type Segment } from './segments.ts'
import type { PriceInForce } from './sources.ts'
import { type BilledSubscription, termsOf } from './subscription.ts'

export type Fee = { readonly amountMicros: Micros; readonly trace: readonly TraceStep[] }

/** What a price without a meter costs for a part of its interval: rounded once, after the part is taken. */
export function feeOf(price: PriceInForce, currency: Currency, factor: Fraction): Fee {
  const { amountMicros, trace } = ratePrice(price.price, { quantity: price.quantity, factor }, currency)
  if (!isMany(price)) return { amountMicros, trace }
  return { amountMicros: partOfDecimal(exactFee(price, currency), factor, currency), trace }
}

/** For a whole interval, before rounding, in major units. */
export function exactFee(price: PriceInForce, currency: Currency): Decimal {
  const { exact } = ratePrice(price.price, { quantity: price.quantity }, currency)
  return isMany(price) ? multiply(exact, price.times) : exact
}

/** How many there are of an add-on multiplies its flat fee; other models price the number itself. */
const isMany = ({ price, times }: PriceInForce): boolean =>
  price.model === 'flat' && compare(times, one) !== 0

const one = decimal('1')

/** The part of an interval that a stretch of it is, counted as the plan says. */
export const partOf = (
  { terms }: Pick<PriceInForce, 'terms'>,
  whole: BillingPeriod,
  service: BillingPeriod,
  { timeZone }: Pick<BilledSubscription, 'timeZone'>,
): Fraction => proration(whole, service, { dayCount: terms.dayCount, timeZone })

/** Fees in arrears of a price whose intervals end with the period: one line for each version and quantity. */
export function arrearsFees(
  subscription: BilledSubscription,
  period: Window,
  prices: readonly PriceInForce[],
): UnnamedCharge[] {
  return prices.flatMap((price) =>
    windowsEnding(subscription, price.interval, period).flatMap((window) =>
      dueSegments(feeSegments(subscription, price.key, window.served)).flatMap(
        (segment) => feeLine(subscription, window, segment) ?? [],
      ),
    ),
  )
}

/** A fee that is not prorated is due once: as it is in force at the end. */
function dueSegments(segments: readonly Segment[]): readonly Segment[] {
  const last = segments.at(-1)
  return last?.price.prorate === false ? [last] : segments
}

function feeLine(
  subscription: BilledSubscription,
  { whole }: Window,
  segment: Segment,
): UnnamedCharge | undefined {
  const service = { start: segment.from, end: segment.to }
  const factor = segment.price.prorate === false ? all : partOf(segment, whole, service, subscription)
  // Of several changes on one local date the last counts: the others have no day of their own.
  if (factor.numerator === 0n) return undefined
  const { amountMicros, trace } = feeOf(segment, subscription.currency, factor)
  return {
    ...ofPrice(segment),
    kind: 'fee',
    service,
    usage: undefined,
    quantity: segment.price.model === 'flat' ? undefined : segment.quantity,
    amountMicros,
    committed: true,
    trace,
  }
}

/** The part of a period in which phases have fees: trials, and pauses whose fees are not kept, are left out. */
export function partOfPhases(
  subscription: BilledSubscription,
  period: BillingPeriod,
  phases: readonly Phase[],
): Fraction {
  const { timeZone } = subscription
  const parts = phases.flatMap((phase) => {
    const terms = termsOf(subscription, phase)
    const service = { start: phase.from, end: phase.to }
    return hasFees(phase, terms) ? [proration(period, service, { dayCount: terms.dayCount, timeZone })] : []
  })
  // One period counted in one way has one denominator.
  return {
    numerator: parts.reduce((sum, { numerator }) => sum + numerator, 0n),
    denominator: parts[0]?.denominator ?? 1n,
  }
}
