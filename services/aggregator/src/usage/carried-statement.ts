import { dimensionNames, type Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { coefficientAt, decimal } from '@tidemark/schemas/decimal.ts'
import { isTimeWeighted, type Meter } from '@tidemark/schemas/meter.ts'
import { stepsOf } from '../aggregation/fold.ts'
import { dimensionsOf, rawEvents, subjectOf, type UsagePart } from './usage-part.ts'
import type { UsageQuery } from './usage-query.ts'

// Levels are whole numbers of 10^-9 here. A series is a subject with the values of all dimensions: it has one level.

/** The level before a series' first event. */
export const initialLevel = ({ initialValue = '0' }: Meter): bigint => coefficientAt(decimal(initialValue), 9)

/** Whether a group of the answer may hold several series: then its peak is not one of theirs, nor their sum. */
export function mergesSeries(query: UsageQuery): boolean {
  const { meter, subjects, filters, groupBySubject, groupByDimensions } = query
  const isOneSubject = groupBySubject || subjects?.length === 1
  const isOneValue = (name: string) => groupByDimensions.includes(name) || filters?.get(name)?.length === 1
  return !isOneSubject || !dimensionNames(meter).every(isOneValue)
}

/** All groups and windows are held at once; more of them than this are refused. */
export const mostCarriedRows = 1_000_000

/**
 * What happened in each window and group: change is what its level changed by, moment the sum of the changes times their
 * instants, started how many series have their first event there, peak the highest sum of all changes so far. The initial
 * level counts in none of them.
 * @param steps rows with w, s, g, n (events), u (unreadable), found, at, is_first, change_by, moment_by and top
 */
const perWindow = (steps: string): string =>
  `SELECT w AS windowSecond, s AS subject, g AS dimensions, toString(sum(n)) AS eventCount,
     toString(sum(u)) AS unreadable, toString(sum(change_by)) AS change, toString(sum(moment_by)) AS moment,
     toUInt32(sum(is_first)) AS started, toString(if(countIf(found) = 0, NULL, maxIf(top, found))) AS peak,
     toString(if(countIf(found) = 0, NULL, minIf(at, found))) AS firstAt
   FROM (${steps}) GROUP BY w, s, g ORDER BY w, s, g LIMIT ${mostCarriedRows + 1}`

const series = 'PARTITION BY subject, dimensions, found ORDER BY cell, w'
const lastBefore = (column: string, by: string) =>
  `lagInFrame(${column}, 1, {initial:Int256}) OVER (${by} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`

/** From parts by series, sealed and raw: what an hour did is combined with what was carried into it. */
export function seriesStatement(query: UsageQuery, parts: readonly UsagePart[]): Sql {
  const { meter } = query
  const ofLevels = meter.values === 'levels'
  const change = 'toInt256(sum * toDecimal256(1000000000, 0))'
  const own = ofLevels
    ? `first_level, last_level, ${lastBefore('last_level', series)} AS carried`
    : `${change} AS change, sum(${change}) OVER (${series} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS carried`
  const timed = isTimeWeighted(meter)
    ? 'moment, peak, toUnixTimestamp64Micro(first_time) AS at'
    : 'toInt256(0) AS moment, toInt256(0) AS peak, toInt64(0) AS at'
  const movement = ofLevels
    ? `if(found, last_level - carried, 0) AS change_by, if(found, moment + (first_level - carried) * at, 0) AS moment_by,
       ifNull(peak, 0) - {initial:Int256} AS top`
    : 'change AS change_by, moment AS moment_by, ifNull(peak, 0) + carried AS top'
  return {
    sql: perWindow(`SELECT w, s, g, n, u, found, at, is_first, ${movement} FROM (
        SELECT w, ${subjectOf(query)} AS s, ${dimensionsOf(query)} AS g, event_count AS n, unreadable AS u,
          event_count > unreadable AS found, found AND row_number() OVER (${series}) = 1 AS is_first, ${timed}, ${own}
        FROM (${parts.map(({ sql }) => sql).join('\nUNION ALL\n')})
      )`),
    params: Object.assign({ initial: initialLevel(meter) }, ...parts.map(({ params }) => params)),
  }
}

/** From raw events alone, in one order over all series of a group: the only way to the peak of their sum. */
export function mergedStatement(query: UsageQuery): Sql {
  const { meter } = query
  const events = rawEvents(query)
  const steps = stepsOf(meter, events.sql, ['w', 's', 'g', 'subject', 'dimensions'])
  const ofSeries = 'PARTITION BY subject, dimensions, has_step ORDER BY at'
  const change = meter.values === 'levels' ? `step - ${lastBefore('step', ofSeries)}` : 'step'
  return {
    sql: perWindow(`SELECT w, s, g, n, u, found, at, is_first, change_by, change_by * at AS moment_by,
        sum(change_by) OVER (PARTITION BY s, g ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS top
      FROM (
        SELECT w, s, g, at, sum(events_at) AS n, sum(unreadable_at) AS u, max(has_step) AS found,
          sum(first_of_series) AS is_first, sum(if(has_step, change_of_series, 0)) AS change_by
        FROM (
          SELECT *, ${change} AS change_of_series,
            has_step AND row_number() OVER (${ofSeries}) = 1 AS first_of_series
          FROM (${steps})
        ) GROUP BY w, s, g, at
      )`),
    params: { initial: initialLevel(meter), ...events.params },
  }
}
