import { dimensionNames, type Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { foldEvents, usedColumns } from '../aggregation/fold.ts'
import { finalSettings, measuredEvents } from '../aggregation/measured-events.ts'
import { daysOf, type Hour, hoursOf } from './hour-plan.ts'
import type { UsageQuery } from './usage-query.ts'

/**
 * A part of the answer: rows with the columns of their keys, event_count, unreadable and what the aggregation uses. The
 * keys are w (window), s (subject) and g (dimensions) as the query groups, and for meters that carry a level on w,
 * subject, dimensions and cell: what one series did in one hour, or in the part of it that a window leaves.
 */
export type UsagePart = Sql

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
  const columns = [...by, 'event_count', 'unreadable', ...usedColumns(query.meter)]
  return { sql: `SELECT ${columns.join(', ')} FROM (${foldEvents(query.meter, sql, by)})`, params }
}

/** Sealed hours but for those that are read raw; an hour is taken in exactly the version that is published for it. */
export function sealedPart(
  query: UsageQuery,
  keys: Keys,
  passVersion: string,
  rawHours: readonly Hour[],
): UsagePart {
  const hours = hoursOf(query)
  const by =
    keys === 'groups'
      ? `${windowOf('hour')} AS w, ${subjectOf(query)} AS s, ${dimensionsOf(query)} AS g`
      : `${windowOf('hour')} AS w, subject, dimensions, hour AS cell`
  const byDimension = filtersOf(query)
  return {
    sql: `SELECT ${by}, event_count, unreadable, ${usedColumns(query.meter).join(', ')}
      FROM usage_hourly FINAL
      WHERE ${ofMeter} AND hour >= {firstHour:DateTime('UTC')} AND hour <= {lastHour:DateTime('UTC')}
        AND toUnixTimestamp(hour) NOT IN {rawHours:Array(UInt32)} ${bySubject(query)}
        ${byDimension.sql === '' ? '' : `AND ${byDimension.sql}`}
        AND (hour, seal_version) IN (
          SELECT hour, max(seal_version) FROM usage_seals
          WHERE ${ofMeter} AND hour >= {firstHour:DateTime('UTC')} AND hour <= {lastHour:DateTime('UTC')}
            AND seal_version <= {passVersion:UInt256}
          GROUP BY hour)
      ${finalSettings}`,
    params: {
      ...commonParams(query),
      ...byDimension.params,
      meter: query.meter.key,
      version: query.meter.version,
      firstHour: hours[0] ?? 0,
      lastHour: hours.at(-1) ?? 0,
      rawHours,
      passVersion,
    },
  }
}

const ofMeter = 'tenant = {tenant:String} AND meter_key = {meter:String} AND meter_version = {version:UInt32}'

// The windows come from one place, so that a raw event and a sealed hour can never be divided differently.
// Whole seconds tell them apart: every start but the first, which the range begins with, is one; and a list of them is
// short enough for a parameter, which ClickHouse takes up to 128 KiB long.
const windowOf = (instant: string): string =>
  `roundDown(toUnixTimestamp(${instant}), {windowStarts:Array(UInt32)})`

export const wholeSeconds = (instant: Micros1970): number => Math.floor(instant / 1_000_000)

export const subjectOf = (query: UsageQuery): string => (query.groupBySubject ? 'subject' : "''")

const bySubject = ({ subjects }: UsageQuery): string =>
  subjects === undefined ? '' : 'AND subject IN {subjects:Array(String)}'

export function dimensionsOf({ meter, groupByDimensions }: UsageQuery): string {
  const names = dimensionNames(meter)
  const values = groupByDimensions.map((name) => `dimensions[${names.indexOf(name) + 1}]`)
  return values.length === 0 ? "CAST([], 'Array(String)')" : `[${values.join(', ')}]`
}

function filtersOf({ meter, filters = new Map() }: UsageQuery): Sql {
  const names = dimensionNames(meter)
  const entries = [...filters]
  return {
    sql: entries
      .map(([name], index) => `has({chosen${index}:Array(String)}, dimensions[${names.indexOf(name) + 1}])`)
      .join(' AND '),
    params: Object.fromEntries(entries.map(([, values], index) => [`chosen${index}`, values])),
  }
}

const commonParams = ({ meter, from, to, windowStarts, subjects }: UsageQuery) => ({
  tenant: meter.tenant,
  type: meter.eventType,
  from,
  to,
  windowStarts: windowStarts.map(wholeSeconds),
  ...(subjects === undefined ? {} : { subjects }),
})
