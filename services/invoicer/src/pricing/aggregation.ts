import {
  add,
  type Decimal,
  decimal,
  divideHalfAwayFromZero,
  multiply,
  powerOfTen,
  zero,
} from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { daysBetween, localDateOf } from '@tidemark/schemas/local-date.ts'

export type DatedEvent = {
  readonly id: string
  readonly time: Micros1970
  readonly value: string
  readonly properties: Readonly<Record<string, string>>
  /** That many separate events. */
  readonly times: bigint
}

export type AggregationRule = {
  readonly type: 'sum' | 'weighted-sum' | 'prorated-sum' | 'count-distinct'
  readonly initialValue?: string
  readonly groupBy?: string
  /** Whose values are told apart. */
  readonly property?: string
}

type Window = { readonly start: Micros1970; readonly end: Micros1970 }

/** Quotients have twelve decimals, half away from zero, as meters give them. */
const scale = 12

/**
 * A few events to the quantity of a period, as meters do it over many: for previews, where no ledger and no store is. Of
 * events with one id the first counts; what lies outside of [start, end) does not.
 * @returns by group; one without a name when nothing is grouped
 */
export function aggregate(
  rule: AggregationRule,
  window: Window,
  timeZone: string,
  events: readonly DatedEvent[],
): Map<string, Decimal> {
  const first = new Map<string, DatedEvent>()
  for (const event of events) if (!first.has(event.id)) first.set(event.id, event)
  const inside = [...first.values()].filter(({ time }) => time >= window.start && time < window.end)
  const groups = Map.groupBy(inside, ({ properties }) =>
    rule.groupBy === undefined ? '' : (properties[rule.groupBy] ?? ''),
  )
  if (groups.size === 0) groups.set('', [])
  return new Map([...groups].map(([group, some]) => [group, quantityOf(rule, window, timeZone, some)]))
}

function quantityOf(
  rule: AggregationRule,
  { start, end }: Window,
  timeZone: string,
  events: readonly DatedEvent[],
): Decimal {
  const initial = decimal(rule.initialValue ?? '0')
  switch (rule.type) {
    case 'sum':
      return events.map(amountOf).reduce(add, zero)
    case 'count-distinct':
      return whole(BigInt(new Set(events.map((event) => distinctOf(rule, event))).size))
    case 'weighted-sum':
      return weighted(initial, events, end - start, ({ time }) => end - time)
    case 'prorated-sum': {
      const days = (from: Micros1970) => daysBetween(localDateOf(from, timeZone), localDateOf(end, timeZone))
      return weighted(initial, events, days(start), ({ time }) => days(time))
    }
  }
}

/** What was there before counts fully, each change for the share of the window that it stands. */
function weighted(
  initial: Decimal,
  events: readonly DatedEvent[],
  all: number,
  standing: (event: DatedEvent) => number,
): Decimal {
  if (all <= 0) return initial
  const area = events
    .map((event) => multiply(amountOf(event), whole(BigInt(standing(event)))))
    .reduce(add, multiply(initial, whole(BigInt(all))))
  const numerator = area.coefficient * powerOfTen(scale)
  return { coefficient: divideHalfAwayFromZero(numerator, powerOfTen(area.scale) * BigInt(all)), scale }
}

const amountOf = ({ value, times }: DatedEvent): Decimal => multiply(decimal(value), whole(times))

const distinctOf = ({ property }: AggregationRule, { properties, value }: DatedEvent): string =>
  property === undefined ? value : (properties[property] ?? '')

const whole = (coefficient: bigint): Decimal => ({ coefficient, scale: 0 })
