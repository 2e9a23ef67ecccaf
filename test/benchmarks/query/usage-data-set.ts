import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { formatClickHouseInstant, formatInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import { currentLog, usagePartitions } from '@tidemark/schemas/topics.ts'

export type DataSet = {
  events: number
  /** The first day's midnight; the last event lies just before `to`. */
  from: Micros1970
  to: Micros1970
}

export const dataSet = { tenant: 'acme', type: 'request', subjects: 1_000, days: 30, users: 10_000 }

const dayMicros = 86_400_000_000
const rowsPerInsert = 5_000_000

/** The last thirty whole days. */
export function dataSetOf(events: number, nowMs: number): DataSet {
  const to = Math.floor((nowMs * 1_000) / dayMicros) * dayMicros
  return { events, from: to - dataSet.days * dayMicros, to }
}

/**
 * Writes the tables as an aggregator leaves them that has read so many accepted events, evenly over time, subjects and
 * partitions: made inside ClickHouse, in the order of the log.
 */
export async function writeDataSet(clickHouse: ClickHouse, set: DataSet): Promise<void> {
  for (let from = 0; from < set.events; from += rowsPerInsert) {
    const rows = { from, to: Math.min(set.events, from + rowsPerInsert) }
    const source = eventsSql(set, rows)
    for (const statement of [rawSql(source), cellSql(source), ledgerSql(source)])
      await clickHouse.command(statement, {}, { timeoutMs: 600_000 })
  }
  await writeWatermarks(clickHouse, Math.ceil(set.events / usagePartitions))
}

/** Every partition processed up to there, and nothing missing before now. */
export async function writeWatermarks(clickHouse: ClickHouse, nextOffset: number): Promise<void> {
  await clickHouse.insert(
    'usage_watermarks',
    Array.from({ length: usagePartitions }, (_, partition) => ({
      topic: 'usage.events',
      log: currentLog,
      partition,
      next_offset: nextOffset,
      complete_until: formatInstant(Date.now() * 1_000),
      relayed_before: formatInstant(0),
    })),
  )
}

type Rows = { from: number; to: number }

/** One row for each event: its time, subject and place, and a hash that stands for its payload. */
const eventsSql = ({ events, from }: DataSet, rows: Rows): string => {
  const stepMicros = Math.floor((dataSet.days * dayMicros) / events)
  return `SELECT number, '${dataSet.tenant}' AS tenant, '${dataSet.type}' AS type,
      'customer-' || leftPad(toString(number % ${dataSet.subjects}), 4, '0') AS subject,
      toDateTime64('${formatClickHouseInstant(from)}', 6, 'UTC') + toIntervalMicrosecond(number * ${stepMicros}) AS time,
      ${currentLog} AS log, toUInt16(number % ${usagePartitions}) AS partition,
      toUInt64(intDiv(number, ${usagePartitions})) AS offset,
      reinterpretAsFixedString(sipHash128(number)) AS payload_hash
    FROM numbers(${rows.from}, ${rows.to - rows.from})`
}

/** There are no copies to collapse. */
const asTheyAre = 'SETTINGS optimize_on_insert = 0'

const rawSql = (source: string): string =>
  `INSERT INTO usage_events (tenant, type, subject, time, log, partition, offset, source, id, accepted_at, payload_hash, data)
   ${asTheyAre} SELECT tenant, type, subject, time, log, partition, offset, 'bench', toString(number), time, payload_hash,
     '{"bytes":' || toString(1000 + number % 9000) || ',"region":"eu-west","user":"u' || toString(number % ${dataSet.users}) || '"}'
   FROM (${source})`

const cellSql = (source: string): string =>
  `INSERT INTO usage_ledger_by_cell (tenant, type, hour, log, partition, offset, verdict, payload_hash)
   ${asTheyAre} SELECT tenant, type, toStartOfHour(time), log, partition, offset, 'accepted', payload_hash FROM (${source})`

const ledgerSql = (source: string): string =>
  `INSERT INTO usage_ledger (log, partition, offset, verdict, identity, payload_hash, revision, first_log, first_partition,
     first_offset, append_time, tenant, type, hour)
   ${asTheyAre} SELECT log, partition, offset, 'accepted', reinterpretAsFixedString(sipHash128(number, 1)) || toFixedString('', 4),
     payload_hash, 0, log, partition, offset, time, tenant, type, toStartOfHour(time) FROM (${source})`
