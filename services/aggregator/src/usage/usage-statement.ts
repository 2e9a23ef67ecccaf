import { atCut, dimensionNames, meterSql, type Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { daysOf, type Hour, hoursOf } from './hour-plan.ts'
import type { UsageQuery } from './usage-query.ts'

/** A part of the answer, with columns w (window), s (subject), g (dimensions), c (events), u (unreadable) and v (value). */
export type UsagePart = Sql

/** Rows of one key lie in one month's partition, since the time is part of the key. */
const finalSettings = 'SETTINGS do_not_merge_across_partitions_select_final = 1'

/** Raw events of the hours given, or of the whole range. */
export function rawPart(query: UsageQuery, hours?: readonly Hour[]): UsagePart {
  const meter = meterSql(query.meter)
  const cut = atCut(query.cut)
  const inHours =
    hours === undefined ? '' : 'AND toUnixTimestamp(toStartOfHour(time)) IN {rawHours:Array(UInt32)}'
  return {
    sql: `SELECT ${windowOf('time')} AS w, ${subjectOf(query)} AS s,
        ${dimensionsOf(query)} AS g, count() AS c, countIf(quantity IS NULL) AS u,
        ifNull(sum(toDecimal256(quantity, 9)), toDecimal256(0, 9)) AS v
      FROM (
        SELECT time, subject, ${meter.dimensions} AS dimensions, ${meter.quantity} AS quantity
        FROM usage_events FINAL
        WHERE tenant = {tenant:String} AND type = {type:String} AND toDate(time) IN {rawDays:Array(Date)}
          ${inHours} AND toUnixTimestamp64Micro(time) >= {from:Int64} AND toUnixTimestamp64Micro(time) < {to:Int64}
          ${bySubject(query)} AND ${cut.sql} AND ${meter.matches}
        ${finalSettings}
      ) GROUP BY w, s, g`,
    params: {
      ...commonParams(query),
      ...meter.params,
      ...cut.params,
      rawDays: daysOf(hours ?? hoursOf(query)),
      ...(hours === undefined ? {} : { rawHours: hours }),
    },
  }
}

/** Sealed hours but for those that are read raw; an hour is taken in exactly the version that is published for it. */
export function sealedPart(query: UsageQuery, passVersion: string, rawHours: readonly Hour[]): UsagePart {
  const hours = hoursOf(query)
  return {
    sql: `SELECT ${windowOf('hour')} AS w, ${subjectOf(query)} AS s,
        ${dimensionsOf(query)} AS g, event_count AS c, unreadable AS u, sum AS v
      FROM usage_hourly FINAL
      WHERE ${ofMeter} AND hour >= {firstHour:DateTime('UTC')} AND hour <= {lastHour:DateTime('UTC')}
        AND toUnixTimestamp(hour) NOT IN {rawHours:Array(UInt32)} ${bySubject(query)}
        AND (hour, seal_version) IN (
          SELECT hour, max(seal_version) FROM usage_seals
          WHERE ${ofMeter} AND hour >= {firstHour:DateTime('UTC')} AND hour <= {lastHour:DateTime('UTC')}
            AND seal_version <= {passVersion:UInt256}
          GROUP BY hour)
      ${finalSettings}`,
    params: {
      ...commonParams(query),
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

/** The parts added up. */
export function usageStatement(query: UsageQuery, parts: readonly UsagePart[]): Sql {
  return {
    sql: `SELECT w AS windowSecond, s AS subject, g AS dimensions, toString(sum(c)) AS eventCount,
        toString(sum(u)) AS unreadable, toString(sum(v)) AS value
      FROM (${parts.map(({ sql }) => sql).join('\nUNION ALL\n')})
      GROUP BY w, s, g ORDER BY w, s, g LIMIT {limit:UInt32} OFFSET {offset:UInt64}`,
    params: Object.assign({}, ...parts.map(({ params }) => params), {
      limit: query.limit,
      offset: query.offset,
    }),
  }
}

// The windows come from one place, so that a raw event and a sealed hour can never be divided differently.
// Whole seconds tell them apart: every start but the first, which the range begins with, is one; and a list of them is
// short enough for a parameter, which ClickHouse takes up to 128 KiB long.
const windowOf = (instant: string): string =>
  `roundDown(toUnixTimestamp(${instant}), {windowStarts:Array(UInt32)})`

export const wholeSeconds = (instant: Micros1970): number => Math.floor(instant / 1_000_000)

const subjectOf = (query: UsageQuery): string => (query.groupBySubject ? 'subject' : "''")

const bySubject = (query: UsageQuery): string =>
  query.subject === undefined ? '' : 'AND subject = {subject:String}'

function dimensionsOf({ meter, groupByDimensions }: UsageQuery): string {
  const names = dimensionNames(meter)
  const values = groupByDimensions.map((name) => `dimensions[${names.indexOf(name) + 1}]`)
  return values.length === 0 ? "CAST([], 'Array(String)')" : `[${values.join(', ')}]`
}

const commonParams = ({ meter, from, to, windowStarts, subject }: UsageQuery) => ({
  tenant: meter.tenant,
  type: meter.eventType,
  from,
  to,
  windowStarts: windowStarts.map(wholeSeconds),
  ...(subject === undefined ? {} : { subject }),
})
