import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { copyTable, insertFromLedger } from '../copy-rows.ts'
import { countLost, fetchLostRanges } from '../lost-ranges.ts'
import { offsetParams, ofOffsets } from '../offset-range.ts'
import { besideName } from './rebuilt-tables.ts'

/** Offsets that one statement copies. */
const offsetsPerStep = 2_000_000n
const timeout = { timeoutMs: 1_800_000 }

/**
 * Brings over what Kafka no longer has, from the tables themselves: raw events and the ledger as they are, the copies made
 * anew out of the ledger.
 * @param base below it, by partition, there is nothing left in Kafka
 */
export async function copyBase(
  clickHouse: ClickHouse,
  base: Cut,
  tell: (line: string) => void,
): Promise<void> {
  if (base.every(({ offset }) => offset === 0n)) return
  const { sql, params } = atCut(base)
  for (const table of ['usage_events', 'usage_corrections'])
    for (const part of await partsOf(clickHouse, table)) {
      tell(`copying ${table}${part === 'all' || part === 'tuple()' ? '' : ` of ${part}`}, older than Kafka`)
      await clickHouse.command(
        `INSERT INTO ${besideName(table)} SELECT * FROM ${table} FINAL
         WHERE _partition_id = {part:String} AND ${sql}`,
        { ...params, part },
        timeout,
      )
    }
  for (const { log, partition, offset: end } of base)
    for (let first = 0n; first < end; first += offsetsPerStep) {
      const last = first + offsetsPerStep - 1n < end - 1n ? first + offsetsPerStep - 1n : end - 1n
      const range = { log, partition, first, last }
      tell(`copying the ledger of log ${log}, partition ${partition}: ${first} to ${last} of ${end}`)
      await copyLedger(clickHouse, range)
      const made = await restoreFromRaw(clickHouse, range)
      if (made > 0n) tell(`${made} rows that the ledger lacked were made out of raw events`)
      for (const kind of ['identity_copy', 'cell_copy'] as const) {
        const copy = copyTable(kind)
        const into = besideName(copy.table)
        const statement = insertFromLedger(copy, ofOffsets, into, besideName('usage_ledger'))
        await clickHouse.command(statement, offsetParams(range), timeout)
      }
    }
}

type Range = { log: number; partition: number; first: bigint; last: bigint }

const copyLedger = (clickHouse: ClickHouse, range: Range): Promise<void> =>
  clickHouse.command(
    `INSERT INTO ${besideName('usage_ledger')} SELECT * FROM usage_ledger FINAL WHERE ${ofOffsets}`,
    offsetParams(range),
    timeout,
  )

/**
 * Rows that the ledger lacks, of accepted events whose raw row and copy by identity are there. Of others nothing is left to
 * make a row of: they stay a gap.
 */
async function restoreFromRaw(clickHouse: ClickHouse, range: Range): Promise<bigint> {
  const beside = besideName('usage_ledger')
  const present = await countOffsets(clickHouse, beside, range)
  const lost = countLost(range.first, range.last + 1n, await fetchLostRanges(clickHouse, range))
  if (present + lost >= range.last - range.first + 1n) return 0n
  await clickHouse.command(
    `INSERT INTO ${beside}
       (log, partition, offset, verdict, identity, payload_hash, revision, first_log, first_partition, first_offset,
        append_time, tenant, type, hour)
     SELECT log, partition, offset, 'accepted', identity, payload_hash, revision, log, partition, offset,
       append_time, raw.tenant, raw.type, hour
     FROM usage_ledger_by_identity AS known
     INNER JOIN (SELECT log, partition, offset, payload_hash, any(tenant) AS tenant, any(type) AS type
       FROM usage_events WHERE ${ofOffsets} GROUP BY log, partition, offset, payload_hash) AS raw
       USING (log, partition, offset, payload_hash)
     WHERE ${ofOffsets} AND verdict = 'accepted'
       AND offset NOT IN (SELECT offset FROM ${beside} WHERE ${ofOffsets})`,
    offsetParams(range),
    timeout,
  )
  return (await countOffsets(clickHouse, beside, range)) - present
}

async function countOffsets(clickHouse: ClickHouse, table: string, range: Range): Promise<bigint> {
  const [row] = await clickHouse.query<{ present: string }>(
    `SELECT uniqExact(offset) AS present FROM ${table} WHERE ${ofOffsets}`,
    offsetParams(range),
    timeout,
  )
  return BigInt(row?.present ?? 0)
}

/** Partitions on disk: a month of raw events each. */
async function partsOf(clickHouse: ClickHouse, table: string): Promise<string[]> {
  const rows = await clickHouse.query<{ part: string }>(
    `SELECT DISTINCT partition_id AS part FROM system.parts
     WHERE database = currentDatabase() AND table = {table:String} AND active ORDER BY part`,
    { table },
  )
  return rows.map(({ part }) => part)
}
