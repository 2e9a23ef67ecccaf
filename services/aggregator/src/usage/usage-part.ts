import { dimensionNames, type Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { foldEvents, usedColumns } from '../aggregation/fold.ts'
import { measuredEvents } from '../aggregation/measured-events.ts'
import { daysOf, type Hour, hoursOf } from './hour-plan.ts'
import type { UsageQuery } from './usage-query.ts'

/**
 * A part of the answer: rows with the columns of their keys, sealed_events, event_count, unreadable and what the
 * aggregation uses. The keys are w (window), s (subject) and g (dimensions) as the query groups, and for meters that carry
 * a level on w, subject, dimensions and cell: what one series did in one hour, or in the part of it that a window leaves.
 */
export type UsagePart = Sql & {
  /** Given where a row that stands there twice would count twice. */
  readonly onceIf?: {
    /** The sum of sealed_events when every row is there once, */
    readonly sealedEvents: bigint
    /** and what is read instead when it is not. */
    readonly otherwise: Sql
  }
}

const groupKeys = ['w', 's', 'g']
export const seriesKeys = ['w', 'subject', 'dimensions', 'cell']

export type Keys = 'groups' | 'series'

/** The raw events of the hours given, or of the whole range. */
export function rawEvents(query: UsageQuery, hours?: readonly Hour[]): Sql {
  const inHours =
    hours === undefined ? '' : 'AND toUnixTimestamp(toStartOfHour(time)) IN {rawHours:Array(UInt32)}'
  const ofType = 'tenant = {tenant:String} AND type = {type:String}'
  const events = measuredEvents({
    meter: query.meter,
    cut: query.cut,
    where: `${ofType} AND toDate(time) IN {rawDays:Array(Date)} ${inHours}
      AND toUnixTimestamp64Micro(time) >= {from:Int64} AND toUnixTimestamp64Micro(time) < {to:Int64}
      ${bySubject(query)}`,
    corrected: `${ofType} AND toDate(superseded_hour) IN {rawDays:Array(Date)}`,
    columns: [`${windowOf('time')} AS w`, `${subjectOf(query)} AS s`, `${dimensionsOf(query)} AS g`],
  })
  const byDimension = filtersOf(query)
  return {
    sql: byDimension.sql === '' ? events.sql : `SELECT * FROM (${events.sql}) WHERE ${byDimension.sql}`,
    params: {
      ...commonParams(query),
      ...events.params,
      ...byDimension.params,
      rawDays: daysOf(hours ?? hoursOf(query)),
      ...(hours === undefined ? {} : { rawHours: hours }),
    },
  }
}

export function rawPart(query: UsageQuery, keys: Keys, hours?: readonly Hour[]): UsagePart {
  const { sql, params } = rawEvents(query, hours)
  const by = keys === 'groups' ? groupKeys : seriesKeys
  const columns = [...by, '0 AS sealed_events', 'event_count', 'unreadable', ...usedColumns(query.meter)]
  return { sql: `SELECT ${columns.join(', ')} FROM (${foldEvents(query.meter, sql, by)})`, params }
}

// The windows come from one place, so that a raw event and a sealed hour can never be divided differently.
// Whole seconds tell them apart: every start but the first, which the range begins with, is one; and a list of them is
// short enough for a parameter, which ClickHouse takes up to 128 KiB long.
export const windowOf = (instant: string): string =>
  `roundDown(toUnixTimestamp(${instant}), {windowStarts:Array(UInt32)})`

export const wholeSeconds = (instant: Micros1970): number => Math.floor(instant / 1_000_000)

export const subjectOf = (query: UsageQuery): string => (query.groupBySubject ? 'subject' : "''")

export const bySubject = ({ subjects }: UsageQuery): string =>
  subjects === undefined ? '' : 'AND subject IN {subjects:Array(String)}'

export function dimensionsOf({ meter, groupByDimensions }: UsageQuery): string {
  const names = dimensionNames(meter)
  const values = groupByDimensions.map((name) => `dimensions[${names.indexOf(name) + 1}]`)
  return values.length === 0 ? "CAST([], 'Array(String)')" : `[${values.join(', ')}]`
}

export function filtersOf({ meter, filters = new Map() }: UsageQuery): Sql {
  const names = dimensionNames(meter)
  const entries = [...filters]
  return {
    sql: entries
      .map(([name], index) => `has({chosen${index}:Array(String)}, dimensions[${names.indexOf(name) + 1}])`)
      .join(' AND '),
    params: Object.fromEntries(entries.map(([, values], index) => [`chosen${index}`, values])),
  }
}

export const commonParams = ({ meter, from, to, windowStarts, subjects }: UsageQuery) => ({
  tenant: meter.tenant,
  type: meter.eventType,
  from,
  to,
  windowStarts: windowStarts.map(wholeSeconds),
  ...(subjects === undefined ? {} : { subjects }),
})
