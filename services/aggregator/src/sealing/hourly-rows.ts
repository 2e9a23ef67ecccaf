import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { allColumns, foldColumns, foldEvents } from '../aggregation/fold.ts'
import { measuredEvents } from '../aggregation/measured-events.ts'
import type { Slice } from './cell.ts'

/** SELECTs in one INSERT: each insert makes a part on disk, and many small ones are what ClickHouse bears least. */
const selectsPerInsert = 24
/** Parameters travel in the address of a request, of which ClickHouse takes a mebibyte; escaping can make them longer. */
const parameterBytesPerInsert = 131_072

/** Columns of usage_hourly, in the order in which hourStatements gives them. */
export const hourlyColumns = [
  ...['tenant', 'meter_key', 'meter_version', 'subject', 'hour', 'dimensions', 'seal_version'],
  ...['event_count', 'event_hash', 'unreadable', ...foldColumns],
]

/**
 * SELECTs that recompute the hours of the slices whole from raw events, for every meter, as they stand under the seal
 * version; each is as long as one request may be.
 */
export function hourStatements(slices: readonly Slice[], cut: Cut, sealVersion: bigint): Sql[] {
  const pairs = slices.flatMap((slice) => slice.meters.map((meter) => ({ slice, meter })))
  const selects = pairs.map(({ slice, meter }, index) => hoursOfMeter(slice, meter, `m${index}_`, cut))
  return groupsOf(selects).map((group) => ({
    sql: group.map(({ sql }) => sql).join('\nUNION ALL\n'),
    params: Object.assign({ sealVersion }, ...group.map(({ params }) => params)),
  }))
}

/** There is one row for each key; to look for others in every block takes a quarter of the whole time. */
const asTheyAre = 'SETTINGS optimize_on_insert = 0'

/** Writes the hours under the seal version. Written again it writes the same rows. */
export async function writeHours(
  clickHouse: ClickHouse,
  slices: readonly Slice[],
  cut: Cut,
  sealVersion: bigint,
): Promise<void> {
  for (const { sql, params } of hourStatements(slices, cut, sealVersion))
    await clickHouse.command(
      `INSERT INTO usage_hourly (${hourlyColumns.join(', ')}) ${asTheyAre} ${sql}`,
      params,
      { timeoutMs: 600_000 },
    )
}

function groupsOf(selects: readonly Sql[]): Sql[][] {
  const groups: Sql[][] = []
  let bytes = 0
  for (const select of selects) {
    const more = Buffer.byteLength(JSON.stringify(select.params, wholeNumbers))
    const group = groups.at(-1)
    if (group && group.length < selectsPerInsert && bytes + more <= parameterBytesPerInsert) {
      group.push(select)
      bytes += more
    } else {
      groups.push([select])
      bytes = more
    }
  }
  return groups
}

const wholeNumbers = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

function hoursOfMeter(slice: Slice, meter: MeterVersion, prefix: string, cut: Cut): Sql {
  const parameter = (name: string, type: string) => `{${prefix}${name}:${type}}`
  const ofType = `tenant = ${parameter('tenant', 'String')} AND type = ${parameter('type', 'String')}`
  const hours = parameter('hours', 'Array(UInt32)')
  const events = measuredEvents({
    meter,
    cut,
    prefix,
    where: `${ofType} AND toDate(time) = ${parameter('day', 'Date')} AND toUnixTimestamp(toStartOfHour(time)) IN ${hours}`,
    corrected: `${ofType} AND toUnixTimestamp(superseded_hour) IN ${hours}`,
  })
  return {
    sql: `SELECT ${parameter('tenant', 'String')}, ${parameter('key', 'String')}, ${parameter('version', 'UInt32')},
        subject, cell, dimensions, {sealVersion:UInt256}, event_count, event_hash, unreadable,
        ${allColumns(meter).join(', ')}
      FROM (${foldEvents(meter, events.sql, ['subject', 'cell', 'dimensions'])})`,
    params: {
      ...events.params,
      [`${prefix}tenant`]: meter.tenant,
      [`${prefix}key`]: meter.key,
      [`${prefix}version`]: meter.version,
      [`${prefix}type`]: slice.type,
      [`${prefix}day`]: slice.day,
      [`${prefix}hours`]: slice.hours,
    },
  }
}
