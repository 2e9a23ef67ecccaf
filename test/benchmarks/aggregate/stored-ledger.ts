import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { usagePartitions } from '@tidemark/schemas/topics.ts'

/** The identity of the n-th event of a ledger that is written inside ClickHouse; of tenant 1. */
const identityOf = (number: string): string =>
  `CAST(concat(unhex('00000001'), reinterpretAsFixedString(sipHash128(${number}))) AS FixedString(20))`

const rowsAtATime = 1_000_000
/** So many events lie within a day: a month of ten million, as a horizon would hold. */
const eventsPerDay = 300_000

/** A ledger of so many accepted events, and its copy by identity, spread over all partitions. */
export async function storeLedger(clickHouse: ClickHouse, events: number): Promise<void> {
  const [now] = await clickHouse.query<{ micros: string }>(
    'SELECT toString(toUnixTimestamp64Micro(now64(6))) AS micros',
  )
  const since = Number(now?.micros ?? 0) - Math.ceil((events / eventsPerDay) * 86_400_000_000)
  const place = `1 AS log, number % ${usagePartitions} AS partition, intDiv(number, ${usagePartitions}) AS offset`
  const hash = 'reinterpretAsFixedString(sipHash128(number, 1)) AS payload_hash'
  const time = `fromUnixTimestamp64Micro(${since} + toInt64(number * ${86_400_000_000 / eventsPerDay})) AS append_time`
  for (let from = 0; from < events; from += rowsAtATime) {
    const rows = `FROM numbers(${from}, ${Math.min(rowsAtATime, events - from)})`
    const held = `1 AS first_log, number % ${usagePartitions} AS first_partition, intDiv(number, ${usagePartitions}) AS first_offset`
    await clickHouse.command(
      `INSERT INTO usage_ledger (log, partition, offset, verdict, identity, payload_hash, first_log, first_partition,
         first_offset, append_time, tenant, type)
       SELECT ${place}, 1 AS verdict, ${identityOf('number')} AS identity, ${hash}, ${held}, ${time}, 'acme', 'request' ${rows}`,
      {},
      { timeoutMs: 300_000 },
    )
    await clickHouse.command(
      `INSERT INTO usage_ledger_by_identity (identity, log, partition, offset, verdict, payload_hash, append_time)
       SELECT ${identityOf('number')} AS identity, ${place}, 1 AS verdict, ${hash}, ${time} ${rows}`,
      {},
      { timeoutMs: 300_000 },
    )
  }
}

/** Identities of events of that ledger, from one number on with a distance between them. */
export async function identitiesOf(
  clickHouse: ClickHouse,
  from: number,
  step: number,
  count: number,
): Promise<Buffer[]> {
  const rows = await clickHouse.query<{ key: string }>(
    `SELECT hex(${identityOf(`toUInt64(${from} + number * ${step})`)}) AS key FROM numbers(${count})`,
  )
  return rows.map(({ key }) => Buffer.from(key, 'hex'))
}
