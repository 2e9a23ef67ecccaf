import type { UsageRow } from '@tidemark/aggregator/usage/usage-query.ts'
import { add, type Decimal, decimal, formatDecimal, zero } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { LoggedEvent } from './usage-log.ts'

/** Random numbers that a seed repeats (mulberry32). */
export function createRandom(seed: number) {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (end: number): number => Math.floor(next() * end)
  return {
    below,
    pick: <T>(values: readonly T[], otherwise: T): T => values[below(values.length)] ?? otherwise,
  }
}

export type Random = ReturnType<typeof createRandom>

const quantities = [
  1,
  2.5,
  0.000001,
  1e-7,
  '1.000000001',
  '-3',
  '12345678901234567890123456789.5',
  'none',
  null,
]

/** An event at a whole second or a boundary of an hour within [from, to). */
export function randomEvent(random: Random, from: Micros1970, to: Micros1970): LoggedEvent {
  const hours = (to - from) / 3_600_000_000
  const hour = from + random.below(hours) * 3_600_000_000
  return {
    tenant: random.pick(['acme', 'acme', 'other'], 'acme'),
    type: random.pick(['api.call', 'api.call', 'other'], 'api.call'),
    subject: random.pick(['alice', 'bob', 'carol'], 'alice'),
    time: random.below(4) === 0 ? hour : hour + random.below(3_600_000_000),
    data: {
      bytes: random.pick(quantities, 1),
      region: random.pick(['eu', 'us', ''], 'eu'),
      tier: random.below(3),
    },
  }
}

export type Expectation = {
  readonly tenant: string
  readonly type: string
  readonly from: Micros1970
  readonly to: Micros1970
  readonly windowStarts: readonly Micros1970[]
  readonly subject: string | undefined
  readonly groupBySubject: boolean
  /** Names of fields of data, in the order of the answer. */
  readonly groupByDimensions: readonly string[]
}

/** What a query has to answer, from the events alone and without any SQL. */
export function expectUsage(events: readonly LoggedEvent[], asked: Expectation): UsageRow[] {
  const groups = new Map<string, { row: UsageRow; sum: Decimal }>()
  for (const event of events) {
    if (event.tenant !== asked.tenant || event.type !== asked.type) continue
    if (event.time < asked.from || event.time >= asked.to) continue
    if (asked.subject !== undefined && event.subject !== asked.subject) continue
    const windowStart = asked.windowStarts.findLast((start) => start <= event.time) ?? 0
    const subject = asked.groupBySubject ? event.subject : ''
    const dimensions = asked.groupByDimensions.map((name) => String(fieldOf(event, name)))
    const key = JSON.stringify([windowStart, subject, dimensions])
    const found = groups.get(key)?.row ?? {
      windowStart,
      subject,
      dimensions,
      value: '',
      eventCount: 0n,
      unreadable: 0n,
    }
    const quantity = quantityOf(fieldOf(event, 'bytes'))
    const sum = add(groups.get(key)?.sum ?? zero, quantity ?? zero)
    groups.set(key, {
      sum,
      row: {
        ...found,
        value: formatDecimal(sum),
        eventCount: found.eventCount + 1n,
        unreadable: found.unreadable + (quantity === undefined ? 1n : 0n),
      },
    })
  }
  return [...groups.values()].map(({ row }) => row).sort(compareRows)
}

const fieldOf = ({ data }: LoggedEvent, name: string) =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? data[name] : undefined

const quantityOf = (value: unknown): Decimal | undefined => {
  if (value === 1e-7) return decimal('0.0000001')
  const text = String(value)
  return /^-?\d+([.]\d+)?$/.test(text) ? decimal(text) : undefined
}

function compareRows(a: UsageRow, b: UsageRow): number {
  const keyOf = ({ windowStart, subject, dimensions }: UsageRow) =>
    [String(windowStart).padStart(17, '0'), subject, ...dimensions].join('\u0001')
  return keyOf(a) < keyOf(b) ? -1 : 1
}
