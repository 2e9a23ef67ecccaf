import type { UsageRow } from '@tidemark/aggregator/usage/usage-query.ts'
import {
  coefficientAt,
  type Decimal,
  decimal,
  divideHalfAwayFromZero,
  formatDecimal,
} from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { isCarried, type Meter } from '@tidemark/schemas/meter.ts'
import { roundQuantity } from '@tidemark/schemas/quantity-rounding.ts'
import { carriedValue } from './carried-expectation.ts'
import type { LogEntry } from './usage-log.ts'

export type Expectation = {
  readonly meter: Meter
  readonly tenant: string
  readonly from: Micros1970
  readonly to: Micros1970
  readonly windowStarts: readonly Micros1970[]
  readonly timeZone: string
  readonly subjects: readonly string[] | undefined
  readonly filters: ReadonlyMap<string, readonly string[]>
  readonly groupBySubject: boolean
  /** Names of fields of data, in the order of the answer. */
  readonly groupByDimensions: readonly string[]
}

/** The field of data that the meters of a history read. */
const valueField = 'bytes'

/** What a query has to answer, from the events alone and without any SQL. */
export function expectUsage(events: readonly LogEntry[], asked: Expectation): UsageRow[] {
  const chosen = events.filter((event) => isChosen(event, asked))
  const groups = Map.groupBy(chosen, (event) => JSON.stringify(groupOf(event, asked)))
  const rows = [...groups.values()].flatMap((group) =>
    asked.windowStarts.flatMap((start, index) =>
      rowOf(group, asked, { start, end: asked.windowStarts[index + 1] ?? asked.to }),
    ),
  )
  return rows.sort(compareRows)
}

const isChosen = (event: LogEntry, { meter, tenant, to, subjects, filters }: Expectation): boolean =>
  event.tenant === tenant &&
  event.type === meter.eventType &&
  event.time < to &&
  (subjects === undefined || subjects.includes(event.subject)) &&
  [...filters].every(([name, values]) => values.includes(String(fieldOf(event, name))))

const groupOf = (event: LogEntry, { groupBySubject, groupByDimensions }: Expectation) => ({
  subject: groupBySubject ? event.subject : '',
  dimensions: groupByDimensions.map((name) => String(fieldOf(event, name))),
})

function rowOf(
  group: readonly LogEntry[],
  asked: Expectation,
  window: { start: Micros1970; end: Micros1970 },
): UsageRow[] {
  const { meter } = asked
  const [first] = group
  const inside = group.filter(({ time }) => time >= window.start && time < window.end)
  const series = [
    ...Map.groupBy(
      group.filter((event) => isReadable(event, meter)),
      seriesOf,
    ).values(),
  ]
  const values = isCarried(meter) ? carriedValue(series, asked, window) : undefined
  if (first === undefined || (inside.length === 0 && values === undefined)) return []
  const value = isCarried(meter) ? (values ?? decimal('0')) : aggregateOf(inside, meter)
  return [
    {
      windowStart: window.start,
      ...groupOf(first, asked),
      value: value === null ? null : formatDecimal(roundQuantity(value, meter.rounding)),
      eventCount: BigInt(inside.length),
      unreadable: BigInt(inside.filter((event) => !isReadable(event, meter)).length),
    },
  ]
}

/** Values of one subject with one value of each dimension make one level. */
const seriesOf = (event: LogEntry): string =>
  JSON.stringify([event.subject, String(fieldOf(event, 'region')), String(fieldOf(event, 'tier'))])

const isReadable = (event: LogEntry, { aggregation }: Meter): boolean =>
  aggregation === 'count' ||
  (aggregation === 'unique-count' ? fieldOf(event, valueField) !== null : quantityOf(event) !== undefined)

function aggregateOf(events: readonly LogEntry[], { aggregation }: Meter): Decimal | null {
  const texts = new Set(events.map((event) => fieldOf(event, valueField)).filter((value) => value !== null))
  const read = events.flatMap((event) => {
    const quantity = quantityOf(event)
    return quantity === undefined ? [] : [{ event, units: coefficientAt(quantity, 9) }]
  })
  const units = read.map((each) => each.units).sort((a, b) => (a < b ? -1 : 1))
  const sum = units.reduce((total, each) => total + each, 0n)
  const whole = (coefficient: bigint | undefined) =>
    coefficient === undefined ? null : { coefficient, scale: 9 }
  switch (aggregation) {
    case 'count':
      return { coefficient: BigInt(events.length), scale: 0 }
    case 'unique-count':
      return { coefficient: BigInt(texts.size), scale: 0 }
    case 'min':
      return whole(units[0])
    case 'max':
      return whole(units.at(-1))
    case 'latest':
      return whole(read.sort((a, b) => compareEvents(a.event, b.event)).at(-1)?.units)
    case 'average':
      return units.length === 0
        ? null
        : { coefficient: divideHalfAwayFromZero(sum * 1_000n, BigInt(units.length)), scale: 12 }
    default:
      return whole(sum)
  }
}

const fieldOf = ({ data }: LogEntry, name: string) =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? data[name] : undefined

export function quantityOf(event: LogEntry): Decimal | undefined {
  const value = fieldOf(event, valueField)
  if (value === 1e-7) return decimal('0.0000001')
  const text = String(value)
  return /^-?\d+([.]\d+)?$/.test(text) ? decimal(text) : undefined
}

/** By time; at one instant by the id that the log gives, for there is one source only. */
export function compareEvents(a: LogEntry, b: LogEntry): number {
  if (a.time !== b.time) return a.time - b.time
  const idOf = ({ partition, offset }: LogEntry) => `${partition}-${offset}`
  return idOf(a) < idOf(b) ? -1 : 1
}

function compareRows(a: UsageRow, b: UsageRow): number {
  const keyOf = ({ windowStart, subject, dimensions }: UsageRow) =>
    [String(windowStart).padStart(17, '0'), subject, ...dimensions].join('\u0001')
  return keyOf(a) < keyOf(b) ? -1 : 1
}
