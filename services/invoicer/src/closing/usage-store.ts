import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { dimensionNames, eventHash, inForce, meterSql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { decimal } from '@tidemark/schemas/decimal.ts'
import { formatClickHouseInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Readings } from './readings.ts'
import type { UsageCell } from './usage.ts'

export type UsageQuestion = {
  readonly meter: MeterVersion
  readonly cut: Cut
  /** Rows from `start` until before `end`. */
  readonly range: BillingPeriod
  /** Ascending: segment 0 lies before the first, segment n from the n-th on. */
  readonly bounds: readonly Micros1970[]
  /** Names of the meter's dimensions by whose values it is told apart. */
  readonly dimensions?: readonly string[]
  /** Only these; all of them when left out. */
  readonly subjects?: readonly string[]
}

type Row = {
  subject: string
  segment: number
  matched: boolean
  dimensionValues?: string[]
  events: string
  hash: string
  unreadable: string
  readable: string
  sum: string | null
  least: string | null
  greatest: string | null
  latest: [time: string, source: string, id: string, value: string]
}

/** Raw events in force at a cut, by subject, segment and whether the meter counts them. Sums cannot overflow: 76 digits. */
export async function readUsage(
  clickHouse: ClickHouse,
  { meter, cut, range, bounds, dimensions = [], subjects }: UsageQuestion,
): Promise<UsageCell[]> {
  const { quantity, matches, dimensions: values, params } = meterSql(withDimensions(meter, dimensions))
  const order = dimensionNames(withDimensions(meter, dimensions)).map((name) => dimensions.indexOf(name))
  // A list as a part of the key makes grouping slower: it is left out where nobody asks for it.
  const told = dimensions.length === 0 ? '' : ', dimensionValues'
  const taken = dimensions.length === 0 ? '' : `, ${values} AS dimensionValues`
  const below = inForce(
    cut,
    `tenant = {tenant:String} AND type = {type:String}
      AND superseded_hour >= toStartOfHour({start:DateTime64(6, 'UTC')}) AND superseded_hour < {end:DateTime64(6, 'UTC')}`,
  )
  const rows = clickHouse.stream<Row>(
    `SELECT subject, segment, matched${told}, toString(count()) AS events, toString(${eventHash}) AS hash,
       toString(countIf(value IS NULL)) AS unreadable,
       toString(count(value)) AS readable, toString(sum(CAST(value, 'Nullable(Decimal(76, 9))'))) AS sum,
       toString(min(value)) AS least, toString(max(value)) AS greatest, ${latestOf(meter)} AS latest
     FROM (
       SELECT subject, toUInt32(arrayCount(bound -> bound <= time, {bounds:Array(DateTime64(6, 'UTC'))})) AS segment,
         CAST(${matches}, 'Bool') AS matched${taken}, ${quantity} AS value, time, source, id, log, partition,
         offset, payload_hash
       FROM usage_events FINAL
       WHERE tenant = {tenant:String} AND type = {type:String}
         AND toDate(time) >= toDate({start:DateTime64(6, 'UTC')}) AND toDate(time) <= toDate({end:DateTime64(6, 'UTC')})
         AND time >= {start:DateTime64(6, 'UTC')} AND time < {end:DateTime64(6, 'UTC')} AND ${below.sql}
         ${subjects === undefined ? '' : 'AND subject IN {subjects:Array(String)}'}
     ) GROUP BY subject, segment, matched${told}`,
    {
      ...params,
      ...below.params,
      tenant: meter.tenant,
      type: meter.eventType,
      start: formatClickHouseInstant(range.start),
      end: formatClickHouseInstant(range.end),
      bounds: bounds.map(formatClickHouseInstant),
      ...(subjects === undefined ? {} : { subjects }),
    },
  )
  const cells: UsageCell[] = []
  for await (const row of rows)
    cells.push({
      subject: row.subject,
      segment: row.segment,
      matched: row.matched,
      values: dimensions.map((_, index) => row.dimensionValues?.[order.indexOf(index)] ?? ''),
      count: BigInt(row.events),
      hash: BigInt(row.hash),
      unreadable: BigInt(row.unreadable),
      readings: readingsOf(row),
    })
  return cells
}

/** The meter with those of its dimensions alone: what is not asked for is not taken out of every event. */
export const withDimensions = (meter: MeterVersion, names: readonly string[]): MeterVersion => ({
  ...meter,
  dimensions: Object.fromEntries(
    names.flatMap((name) => {
      const path = meter.dimensions?.[name]
      return path === undefined ? [] : [[name, path]]
    }),
  ),
})

/** Sources and ids are read for the meters that need them only. */
const latestOf = ({ aggregation }: MeterVersion): string =>
  aggregation === 'latest'
    ? `argMaxIf((toString(toUnixTimestamp64Micro(time)), source, id, toString(assumeNotNull(value))), (time, source, id),
         value IS NOT NULL)`
    : "('', '', '', '')"

function readingsOf({ readable, sum, least, greatest, latest: [time, source, id, value] }: Row): Readings {
  return {
    count: BigInt(readable),
    sum: decimal(sum ?? '0'),
    least: least === null ? undefined : decimal(least),
    greatest: greatest === null ? undefined : decimal(greatest),
    latest: value === '' ? undefined : { time: Number(time), source, id, value: decimal(value) },
  }
}
