import type { Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Aggregation } from '@tidemark/schemas/meter.ts'
import type { UsagePart } from './usage-part.ts'
import type { UsageQuery } from './usage-query.ts'

/** The value as a number to sort by, which is 10^scale times as large as what it stands for; null when there is none. */
type Combined = { readonly sql: string; readonly scale: number }

/** How parts of one group become one value. Meters that carry a level are combined in order, by carried-usage.ts. */
export function combined(aggregation: Aggregation): Combined {
  switch (aggregation) {
    case 'min':
      return { sql: 'min(min)', scale: 0 }
    case 'max':
      return { sql: 'max(max)', scale: 0 }
    case 'average':
      return { sql: average, scale: averageDecimals }
    case 'unique-count':
      return { sql: 'uniqExactArray(unique_hashes)', scale: 0 }
    case 'latest':
      return {
        sql: `if(countIf(${hasLatest}) = 0, NULL,
          argMaxIf(assumeNotNull(latest_value), (latest_time, latest_source, latest_id), ${hasLatest}))`,
        scale: 0,
      }
    default:
      return { sql: 'sum(sum)', scale: 0 }
  }
}

const hasLatest = 'latest_value IS NOT NULL'

const averageDecimals = 12

// The sum has nine decimals; three more make twelve. Twice the dividend and half a divisor round half away from zero, for
// intDiv cuts towards it.
const dividend = `(toInt256(sum(sum) * toDecimal256(1000000000, 0)) * 1000)`
const divisor = 'toInt256(sum(event_count) - sum(unreadable))'
const average = `if(sum(event_count) = sum(unreadable), NULL,
  intDiv(2 * ${dividend} + sign(${dividend}) * ${divisor}, 2 * greatest(${divisor}, 1)))`

/** The parts combined; sealedEvents is that of all groups, those of other pages too. */
export function usageStatement(query: UsageQuery, parts: readonly UsagePart[]): Sql {
  const { sql: value } = combined(query.meter.aggregation)
  const order = query.largestFirst === true ? `${value} DESC NULLS LAST, w, s, g` : 'w, s, g'
  const sealedEvents = parts.some(({ onceIf }) => onceIf) ? 'sum(sum(sealed_events)) OVER ()' : '0'
  // One level for all of it: a short query takes longer to be planned than to be run.
  return {
    sql: `SELECT w AS windowSecond, s AS groupSubject, g AS groupDimensions, toString(sum(event_count)) AS events,
        toString(sum(unreadable)) AS unread, toString(${value}) AS number, toString(${sealedEvents}) AS sealedEvents
      FROM (${parts.map(({ sql }) => sql).join('\nUNION ALL\n')})
      GROUP BY w, s, g ORDER BY ${order} LIMIT {limit:UInt32} OFFSET {offset:UInt64}`,
    params: Object.assign({}, ...parts.map(({ params }) => params), {
      limit: query.limit,
      offset: query.offset,
    }),
  }
}
