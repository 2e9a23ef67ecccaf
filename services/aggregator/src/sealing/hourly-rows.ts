import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut, eventHash, meterSql, type Sql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Slice } from './cell.ts'

/** SELECTs in one INSERT: each insert makes a part on disk, and many small ones are what ClickHouse bears least. */
const selectsPerInsert = 24
/** Parameters travel in the address of a request, of which ClickHouse takes a mebibyte; escaping can make them longer. */
const parameterBytesPerInsert = 131_072

/**
 * Recomputes the hours of the slices whole from raw events, for every meter, and writes them under the seal version.
 * Written again it writes the same rows.
 */
export async function writeHours(
  clickHouse: ClickHouse,
  slices: readonly Slice[],
  cut: Cut,
  sealVersion: bigint,
): Promise<void> {
  const pairs = slices.flatMap((slice) => slice.meters.map((meter) => ({ slice, meter })))
  const selects = pairs.map(({ slice, meter }, index) => hoursOfMeter(slice, meter, `m${index}_`, cut))
  for (const group of groupsOf(selects))
    await clickHouse.command(
      `INSERT INTO usage_hourly (tenant, meter_key, meter_version, subject, hour, dimensions, seal_version,
         event_count, event_hash, unreadable, sum, min, max)
       ${group.map(({ sql }) => sql).join('\nUNION ALL\n')}`,
      Object.assign({ sealVersion }, atCut(cut).params, ...group.map(({ params }) => params)),
      { timeoutMs: 600_000 },
    )
}

function groupsOf(selects: readonly Sql[]): Sql[][] {
  const groups: Sql[][] = []
  let bytes = 0
  for (const select of selects) {
    const more = Buffer.byteLength(JSON.stringify(select.params))
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

function hoursOfMeter(slice: Slice, meter: MeterVersion, prefix: string, cut: Cut): Sql {
  const { dimensions, quantity, matches, params } = meterSql(meter, prefix)
  const parameter = (name: string, type: string) => `{${prefix}${name}:${type}}`
  return {
    sql: `SELECT ${parameter('tenant', 'String')}, ${parameter('key', 'String')}, ${parameter('version', 'UInt32')},
        subject, cell, dimensions, {sealVersion:UInt256}, count(), ${eventHash}, countIf(quantity IS NULL),
        ifNull(sum(toDecimal256(quantity, 9)), toDecimal256(0, 9)), min(quantity), max(quantity)
      FROM (
        SELECT subject, toStartOfHour(time) AS cell, ${dimensions} AS dimensions, ${quantity} AS quantity,
          log, partition, offset, payload_hash
        FROM usage_events FINAL
        WHERE tenant = ${parameter('tenant', 'String')} AND type = ${parameter('type', 'String')}
          AND toDate(time) = ${parameter('day', 'Date')}
          AND toUnixTimestamp(toStartOfHour(time)) IN ${parameter('hours', 'Array(UInt32)')}
          AND ${atCut(cut).sql} AND ${matches}
        SETTINGS do_not_merge_across_partitions_select_final = 1
      ) GROUP BY subject, cell, dimensions`,
    params: {
      ...params,
      [`${prefix}tenant`]: meter.tenant,
      [`${prefix}key`]: meter.key,
      [`${prefix}version`]: meter.version,
      [`${prefix}type`]: slice.type,
      [`${prefix}day`]: slice.day,
      [`${prefix}hours`]: slice.hours,
    },
  }
}
