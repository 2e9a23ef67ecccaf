import { decimal } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import { whole } from '../pricing/fraction.ts'
import { type ChangedItem, changePlan } from '../pricing/plan-change.ts'
import { type Phase, phaseAt } from '../subscriptions/timeline.ts'
import { type Change, changesWithin } from './changes.ts'
import { exactFee, feeOf, partOf } from './fees.ts'
import { ofPrice, type UnnamedCharge } from './line.ts'
import { intervalsFrom, type Window, windowsBeginning } from './periods.ts'
import { hasFees } from './segments.ts'
import { type PriceInForce, pricesOf } from './sources.ts'
import { type BilledSubscription, inZoneAt, termsOf } from './subscription.ts'

/**
 * Fees in advance of the intervals that begin with the period at an instant, as they are in force there: in full, whatever
 * comes later, which the invoice of that period's end settles. At the subscription's start they may be a part.
 */
export function advanceFees(billed: BilledSubscription, start: Micros1970): UnnamedCharge[] {
  const subscription = inZoneAt(billed, start)
  return advancePrices(subscription, phaseAt(subscription.timeline, start)).flatMap((price) =>
    windowsBeginning(subscription, price.interval, start).map((window) => {
      const service = window.served
      const isWhole = price.price.prorate === false
      const factor = isWhole ? whole : partOf(price, window.whole, service, subscription)
      const { amountMicros, trace } = feeOf(price, subscription.currency, factor)
      return {
        ...ofPrice(price),
        kind: 'fee',
        service,
        usage: undefined,
        quantity: price.price.model === 'flat' ? undefined : price.quantity,
        amountMicros,
        // It says nothing of what the period before has cost.
        committed: false,
        trace,
      }
    }),
  )
}

/**
 * What changes within a period make of the fees that were asked for in advance: of what was in force the time left is
 * returned, of what is then in force it is due. The end of the subscription is such a change, if its plan says so.
 */
export const advanceChanges = (subscription: BilledSubscription, period: Window): UnnamedCharge[] =>
  changesWithin(subscription, period.served)
    .filter((change) => !keepsFees(subscription, change))
    .flatMap((change) => [
      ...changeLines(subscription, period, change, 'credit'),
      ...changeLines(subscription, period, change, 'charge'),
    ])

/**
 * What a change leaves as it was of the fees in advance for the time from it on: no line says so, and yet what was in force
 * before it has cost that much less, and what is after it that much more.
 */
export function keptFees(
  subscription: BilledSubscription,
  { whole: period }: Window,
  { at, before, after }: Change,
): Micros {
  if (!before || !after) return 0n
  const from = openFees(subscription, before, at - 1, { at, askedUntil: period.end }).map(({ item }) => item)
  const to = openFees(subscription, after, at, { at, askedUntil: period.end }).map(({ item }) => item)
  const terms = { dayCount: termsOf(subscription, before).dayCount, timeZone: subscription.timeZone }
  const returned = (then: typeof to) =>
    changePlan({ period, at, from, to: then }, terms, subscription.currency).creditMicros
  return returned(to) - returned([])
}

/** The unused part is the seller’s, where the plan says that an end returns nothing. */
const keepsFees = (subscription: BilledSubscription, { before, after }: Change): boolean =>
  after === undefined && before !== undefined && termsOf(subscription, before).cancelFees === 'keep'

/** Prices in advance whose fees are due in the phase, if there is one. */
const advancePrices = (subscription: BilledSubscription, phase: Phase | undefined): PriceInForce[] =>
  phase && hasFees(phase, termsOf(subscription, phase))
    ? pricesOf(subscription, phase).filter(({ role }) => role === 'advance')
    : []

type OpenFee = {
  readonly price: PriceInForce
  readonly item: ChangedItem & { readonly period: Window['whole'] }
}

/** Credits count time as the plan before the change does, charges as the one after it. */
function changeLines(
  subscription: BilledSubscription,
  { whole: period }: Window,
  { at, before, after }: Change,
  kind: 'credit' | 'charge',
): UnnamedCharge[] {
  const from = openFees(subscription, before, at - 1, { at, askedUntil: period.end })
  const to = openFees(subscription, after, at, { at, askedUntil: period.end })
  const fees = kind === 'credit' ? from : to
  const phase = kind === 'credit' ? before : after
  if (!phase) return []
  const change = { period, at, from: from.map(({ item }) => item), to: to.map(({ item }) => item) }
  const { dayCount } = termsOf(subscription, phase)
  const { lines } = changePlan(change, { dayCount, timeZone: subscription.timeZone }, subscription.currency)
  return lines.flatMap((line) => {
    const fee = fees.find(({ item }) => line.kind === kind && item.id === line.item)
    if (!fee) return []
    const { price, item } = fee
    const { numerator, denominator } = line.factor
    return [
      {
        ...ofPrice(price),
        kind,
        service: { start: Math.max(item.period.start, at), end: item.period.end },
        usage: undefined,
        quantity: price.price.model === 'flat' ? undefined : price.quantity,
        amountMicros: line.amountMicros,
        // What begins with the next period says nothing of this one.
        committed: at < period.end,
        // A fee that is returned is one less of the plan that had asked for it.
        countedAt: kind === 'credit' ? phase.from : at,
        trace: [{ step: kind, factor: `${numerator}/${denominator}` }],
      },
    ]
  })
}

/**
 * Fees of a phase with the intervals that had been asked for when a change came, and go on after it. They are counted as
 * they are at an instant of the phase: one that begins anew there is asked for by itself.
 */
const openFees = (
  subscription: BilledSubscription,
  phase: Phase | undefined,
  countedAt: Micros1970,
  { at, askedUntil }: { readonly at: Micros1970; readonly askedUntil: Micros1970 },
): OpenFee[] =>
  advancePrices(subscription, phase).flatMap((price) =>
    intervalsFrom(subscription, price.interval, countedAt, Math.max(askedUntil, at + 1))
      .filter(({ start, end }) => start < askedUntil && end > at)
      .map((period) => ({
        price,
        item: {
          id: `${price.key} ${period.start}`,
          type: price.price.prorate === false ? 'one-time' : 'recurring',
          quantity: one,
          unitPrice: exactFee(price, subscription.currency),
          period,
        },
      })),
  )

const one = decimal('1')
