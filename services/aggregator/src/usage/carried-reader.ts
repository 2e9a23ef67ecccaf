import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { type Decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { roundQuantity } from '@tidemark/schemas/quantity-rounding.ts'
import { windowStarts } from '@tidemark/schemas/usage-window.ts'
import {
  initialLevel,
  mergedStatement,
  mergesSeries,
  mostCarriedRows,
  seriesStatement,
} from './carried-statement.ts'
import { type CarriedWindow, createCarry, type Movement, type Span } from './carry.ts'
import { wholeSeconds } from './usage-part.ts'
import type { PlanParts } from './usage-parts.ts'
import type { UsageQuery, UsageRow } from './usage-query.ts'

type Found = Movement & Pick<UsageRow, 'eventCount' | 'unreadable'>

/** What one group did, by the second in which each span begins. */
type Group = Pick<UsageRow, 'subject' | 'dimensions'> & { readonly spans: Map<number, Found> }

/**
 * Usage of a meter that carries a level: everything since its first event is read, what lies before the range as one
 * span, so that the level with which the range begins is known.
 * @throws HttpProblem 422 `usage_too_large`
 */
export async function readCarriedUsage(
  clickHouse: ClickHouse,
  query: UsageQuery,
  planParts: PlanParts,
): Promise<UsageRow[]> {
  const history = await readBeginning(clickHouse, query)
  const windows = windowsOf(query)
  const spans = windows.flatMap(({ days }) => days.map(({ start }) => start))
  const asked = {
    ...query,
    from: history ?? query.from,
    windowStarts: history === undefined ? spans : [history, ...spans],
  }
  const groups = await readGroups(clickHouse, asked, planParts)
  if (groups.length * windows.length > mostCarriedRows) throw tooLarge()
  const rows = groups.flatMap((group) => rowsOf(group, query, windows, history))
  return rows
    .sort(query.largestFirst === true ? byValue : byWindow)
    .slice(query.offset, query.offset + query.limit)
    .map(({ row }) => row)
}

/** The hour of the meter's first event, when it lies before the range. */
async function readBeginning(
  clickHouse: ClickHouse,
  { meter, from }: UsageQuery,
): Promise<Micros1970 | undefined> {
  const rows = await clickHouse.query<{ first: number }>(
    `SELECT toUnixTimestamp(hour) AS first FROM usage_ledger_by_cell
     WHERE tenant = {tenant:String} AND type = {type:String} ORDER BY tenant, type, hour LIMIT 1`,
    { tenant: meter.tenant, type: meter.eventType },
  )
  const first = rows[0] === undefined ? from : rows[0].first * 1_000_000
  return first < from ? first : undefined
}

/** The query's windows; where days are counted, each in the days that it touches. */
function windowsOf(query: UsageQuery): CarriedWindow[] {
  const { windowStarts: starts, to, meter, timeZone } = query
  return starts.map((start, index) => {
    const span = { start, end: starts[index + 1] ?? to }
    return { ...span, days: meter.aggregation === 'prorated-sum' ? daysOf(span, timeZone) : [span] }
  })
}

function daysOf(span: Span, timeZone: string): Span[] {
  const starts = windowStarts(span, 'day', timeZone, Number.POSITIVE_INFINITY) ?? []
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? span.end }))
}

async function readGroups(clickHouse: ClickHouse, query: UsageQuery, planParts: PlanParts): Promise<Group[]> {
  const isMerged = query.meter.aggregation === 'time-weighted-max' && mergesSeries(query)
  const parts = isMerged ? [] : await planParts(clickHouse, query, 'series')
  if (parts.length === 0 && !isMerged) return []
  const { sql, params } = isMerged ? mergedStatement(query) : seriesStatement(query, parts)
  const rows = await clickHouse.query<{
    windowSecond: number
    subject: string
    dimensions: string[]
    eventCount: string
    unreadable: string
    change: string
    moment: string
    started: number
    peak: string | null
    firstAt: string | null
  }>(sql, params)
  if (rows.length > mostCarriedRows) throw tooLarge()
  const groups = new Map<string, Group>()
  for (const row of rows) {
    const { subject, dimensions } = row
    const key = JSON.stringify([subject, dimensions])
    const group = groups.get(key) ?? { subject, dimensions, spans: new Map() }
    groups.set(key, group)
    group.spans.set(row.windowSecond, {
      eventCount: BigInt(row.eventCount),
      unreadable: BigInt(row.unreadable),
      change: BigInt(row.change),
      moment: BigInt(row.moment),
      started: row.started,
      peak: row.peak === null ? undefined : BigInt(row.peak),
      firstAt: row.firstAt === null ? undefined : Number(row.firstAt),
    })
  }
  return [...groups.values()]
}

type ValuedRow = { readonly row: UsageRow; readonly value: Decimal }

function rowsOf(
  { subject, dimensions, spans }: Group,
  { meter }: UsageQuery,
  windows: readonly CarriedWindow[],
  history: Micros1970 | undefined,
): ValuedRow[] {
  const carry = createCarry(meter.aggregation, initialLevel(meter))
  const foundIn = ({ start }: Pick<Span, 'start'>) => spans.get(wholeSeconds(start))
  const before = history === undefined ? undefined : foundIn({ start: history })
  if (before) carry.skip(before)
  return windows.flatMap((window) => {
    const value = carry.next(window, foundIn)
    const found = window.days.flatMap((day) => foundIn(day) ?? [])
    // Nothing has a level yet where all that has come could not be read; that it has come is told all the same.
    if (value === undefined && found.length === 0) return []
    const exact = value ?? { coefficient: 0n, scale: 0 }
    return [
      {
        value: exact,
        row: {
          windowStart: window.start,
          subject,
          dimensions,
          value: formatDecimal(roundQuantity(exact, meter.rounding)),
          eventCount: found.reduce((sum, { eventCount }) => sum + eventCount, 0n),
          unreadable: found.reduce((sum, { unreadable }) => sum + unreadable, 0n),
        },
      },
    ]
  })
}

const textOf = ({ row }: ValuedRow): string => JSON.stringify([row.subject, row.dimensions])

function byWindow(a: ValuedRow, b: ValuedRow): number {
  if (a.row.windowStart !== b.row.windowStart) return a.row.windowStart - b.row.windowStart
  return textOf(a) < textOf(b) ? -1 : 1
}

function byValue(a: ValuedRow, b: ValuedRow): number {
  // One aggregation gives one scale, but for what stands for no level at all, which is zero in any.
  const difference = b.value.coefficient - a.value.coefficient
  return difference === 0n ? byWindow(a, b) : difference > 0n ? 1 : -1
}

export const tooLarge = (): HttpProblem =>
  new HttpProblem({
    status: 422,
    code: 'usage_too_large',
    detail: `The answer would have more than ${mostCarriedRows} groups and windows, which a meter that carries a level holds at once; name subjects, group by less, or ask for longer windows or a shorter range.`,
  })
