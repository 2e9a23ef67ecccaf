import { eventHash } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { isTimeWeighted, type Meter } from '@tidemark/schemas/meter.ts'

/**
 * What aggregations keep of events: columns of usage_hourly, with their types and what stands there when an aggregation
 * does not use them. A sealed hour and a part that is read raw are the same thing, so that both combine in one way.
 */
const columns = {
  sum: ['Decimal(76, 9)', '0'],
  min: ['Nullable(Decimal(38, 9))', 'NULL'],
  max: ['Nullable(Decimal(38, 9))', 'NULL'],
  unique_hashes: ['Array(UInt128)', '[]'],
  latest_time: ["DateTime64(6, 'UTC')", '0'],
  latest_source: ['String', "''"],
  latest_id: ['String', "''"],
  latest_value: ['Nullable(Decimal(38, 9))', 'NULL'],
  first_time: ["DateTime64(6, 'UTC')", '0'],
  first_level: ['Int256', '0'],
  last_level: ['Int256', '0'],
  moment: ['Int256', '0'],
  peak: ['Nullable(Int256)', 'NULL'],
} as const

export const foldColumns: readonly string[] = Object.keys(columns)

type Fold = Readonly<Partial<Record<keyof typeof columns, string>>>

const readable = 'quantity IS NOT NULL'
const exactSum = 'ifNull(sum(toDecimal256(quantity, 9)), toDecimal256(0, 9))'
/** Events of one instant are told apart by source and id, which no two have both. */
const latestOf = (what: string): string => `argMaxIf(${what}, (time, source, id), ${readable})`

/** Aggregates over the columns of measured events; of time-weighted meters over those of their steps. */
function foldOf({ aggregation, values }: Meter): Fold {
  switch (aggregation) {
    case 'min':
      return { min: 'min(quantity)' }
    case 'max':
      return { max: 'max(quantity)' }
    case 'unique-count':
      return { unique_hashes: `arraySort(groupUniqArrayIf(distinct, ${readable}))` }
    case 'latest':
      return {
        latest_time: latestOf('time'),
        latest_source: latestOf('source'),
        latest_id: latestOf('id'),
        latest_value: `if(countIf(${readable}) = 0, NULL, ${latestOf('assumeNotNull(quantity)')})`,
      }
    case 'time-weighted-sum':
    case 'time-weighted-max':
      return values === 'levels' ? foldOfLevels : foldOfChanges
    default:
      return { sum: exactSum }
  }
}

// `steps` are pairs of an instant in microseconds and the change of the level at it, or the level, in order.
const steps = 'arraySort(groupArrayIf((at, step), has_step))'
const firstTime = `fromUnixTimestamp64Micro(if(empty(${steps}), toInt64(0), ${steps}[1].1), 'UTC')`

const foldOfChanges: Fold = {
  sum: 'sum(change)',
  first_time: firstTime,
  moment: `arraySum(arrayMap(step -> step.2 * step.1, ${steps}))`,
  peak: `if(empty(${steps}), NULL, arrayMax(arrayCumSum(${steps}.2)))`,
}

const foldOfLevels: Fold = {
  first_time: firstTime,
  first_level: `${steps}[1].2`,
  last_level: `${steps}[-1].2`,
  moment: `arraySum(arrayMap((a, b) -> (b.2 - a.2) * b.1, arrayPopBack(${steps}), arrayPopFront(${steps})))`,
  peak: `if(empty(${steps}), NULL, arrayMax(${steps}.2))`,
}

export const usedColumns = (meter: Meter): string[] => Object.keys(foldOf(meter))

/**
 * Folds measured events into one row per key, with event_count, event_hash, unreadable and the columns that the
 * aggregation uses.
 * @param events a SELECT as measuredEvents makes it
 * @param keys columns of it
 */
export function foldEvents(meter: Meter, events: string, keys: readonly string[]): string {
  const by = keys.join(', ')
  const columns = Object.entries(foldOf(meter)).map(([name, sql]) => `${sql} AS ${name}`)
  if (!isTimeWeighted(meter))
    return `SELECT ${by}, count() AS event_count, ${eventHash} AS event_hash,
        countIf(quantity IS NULL) AS unreadable, ${columns.join(', ')}
      FROM (${events}) GROUP BY ${by}`
  return `SELECT ${by}, sum(events_at) AS event_count, sum(hash_at) AS event_hash,
      sum(unreadable_at) AS unreadable, ${columns.join(', ')}
    FROM (${stepsOf(meter, events, keys)}) GROUP BY ${by}`
}

/**
 * One row per key and instant, with the columns at, step (a change, or the level), has_step and what is counted: what
 * happens at once is one step, or a peak could be reached for no time at all.
 */
export function stepsOf({ values }: Meter, events: string, keys: readonly string[]): string {
  const by = keys.join(', ')
  return `SELECT ${by}, toUnixTimestamp64Micro(time) AS at, count() AS events_at, ${eventHash} AS hash_at,
      countIf(quantity IS NULL) AS unreadable_at, countIf(${readable}) > 0 AS has_step, ${exactSum} AS change,
      ${values === 'levels' ? latestOf(coefficient) : `sumIf(${coefficient}, ${readable})`} AS step
    FROM (${events}) GROUP BY ${by}, time`
}

/** The quantity as a whole number of 10^-9, wide enough for its product with an instant. */
const coefficient = "CAST(reinterpretAsInt128(assumeNotNull(quantity)), 'Int256')"

/** Every column of usage_hourly that an aggregation may use, out of a fold. */
export function allColumns(meter: Meter): string[] {
  const used = usedColumns(meter)
  return Object.entries(columns).map(
    ([name, [type, absent]]) => `CAST(${used.includes(name) ? name : absent} AS ${type}) AS ${name}`,
  )
}
