import { add, type Decimal, zero } from '@tidemark/schemas/decimal.ts'
import { roundQuantity } from '@tidemark/schemas/quantity-rounding.ts'
import { quantityOf } from '../closing/readings.ts'
import { ratePrice } from '../pricing/rate.ts'
import type { PricedUsage } from '../pricing/rated.ts'
import { partOf } from './fees.ts'
import { ofPrice, type UnnamedCharge } from './line.ts'
import type { Window } from './periods.ts'
import type { Segment } from './segments.ts'
import type { BilledSubscription } from './subscription.ts'
import { needsOfSegment, type ReadUsage, usageSegmentsOf } from './usage-needs.ts'

/** What earlier segments of a window have used of a price’s tiers. */
type Carried = { readonly quantity: Decimal; readonly events: number }

/**
 * Lines of usage, one for each segment of each price, whether anything was used or not.
 * @throws RangeError when a need of the period was not read
 */
export function usageLines(
  subscription: BilledSubscription,
  period: Window,
  read: ReadonlyMap<string, ReadUsage>,
): UnnamedCharge[] {
  const carried = new Map<string, Carried>()
  return usageSegmentsOf(subscription, period).map(({ window, segment }) => {
    const used = needsOfSegment(segment).map(({ id }) => {
      const found = read.get(id)
      if (!found) throw new RangeError(`usage "${id}" was not read`)
      return found
    })
    const windowKey = `${segment.key} ${window.whole.start}`
    const before = carried.get(windowKey)
    const usage = pricedUsage(segment, used)
    carried.set(windowKey, {
      quantity: add(before?.quantity ?? zero, usage.quantity),
      events: (before?.events ?? 0) + (usage.events?.length ?? 0),
    })
    return usageLine(subscription, window, segment, used, withCarried(segment, usage, before))
  })
}

function pricedUsage({ price }: Segment, used: readonly ReadUsage[]): PricedUsage {
  const quantities = used.map((each) => [each.need.meter, meterQuantity(each)] as const)
  const [first] = used
  const isSingle = price.model !== 'flat' && price.meter !== undefined
  if (!isSingle || !first) return { quantity: zero, units: new Map(quantities) }
  return {
    quantity: quantities[0]?.[1] ?? zero,
    ...(first.events === undefined ? {} : { events: first.events }),
    ...(first.need.dimensions.length === 0 ? {} : { matched: matchedOf(first) }),
  }
}

/** As the meter rounds it. */
const meterQuantity = ({ meter, readings }: ReadUsage): Decimal =>
  roundQuantity(quantityOf(meter, readings), meter.rounding)

const matchedOf = ({ meter, groups }: ReadUsage) =>
  groups.map(({ match, readings }) => ({ match, quantity: quantityOf(meter, readings) }))

function withCarried(
  { price, terms }: Segment,
  usage: PricedUsage,
  before: Carried | undefined,
): PricedUsage {
  // The first segment of an interval goes on from nothing: a first tier's fee without usage is due there.
  if (before === undefined) return usage
  const isCarried = ('carryTiers' in price ? price.carryTiers : undefined) ?? terms.carryTiers
  return isCarried ? { ...usage, already: before.quantity, alreadyEvents: before.events } : usage
}

function usageLine(
  subscription: BilledSubscription,
  { whole }: Window,
  segment: Segment,
  used: readonly ReadUsage[],
  usage: PricedUsage,
): UnnamedCharge {
  const service = { start: segment.from, end: segment.to }
  const factor = partOf(segment, whole, service, subscription)
  const { amountMicros, trace } = ratePrice(
    roundedPrice(segment, used),
    { ...usage, factor },
    subscription.currency,
  )
  const [first] = used
  return {
    ...ofPrice(segment),
    kind: 'usage',
    service,
    usage:
      first && used.length === 1 ? { meter: first.meter.key, meterVersion: first.meter.version } : undefined,
    quantity: used.length === 1 ? usage.quantity : undefined,
    amountMicros,
    committed: true,
    trace,
  }
}

/** Where a price tells usage apart, the meter’s rounding applies to what each filter comes to, not to each value. */
function roundedPrice({ price }: Segment, used: readonly ReadUsage[]): Segment['price'] {
  const rounding = used[0]?.meter.rounding
  const isTold = price.model === 'per-unit' && (price.filters ?? []).length > 0
  return isTold && rounding !== undefined && price.usageRounding === undefined
    ? { ...price, usageRounding: rounding }
    : price
}
