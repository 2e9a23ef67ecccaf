import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { type Cut, sortedCut } from '@tidemark/schemas/cut.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { LogPartition } from '../place.ts'
import { fetchLostRanges, passLost } from './lost-ranges.ts'

/** What the aggregator has processed of every log: below it the ledger has everything that it will ever have. */
export async function readProcessedCut(clickHouse: ClickHouse): Promise<Cut> {
  const rows = await clickHouse.query<{ log: number; partition: number; next: string }>(
    `SELECT log, partition, toString(max(next_offset)) AS next FROM usage_watermarks
     WHERE match(topic, '^usage[.]events([.][0-9]+)?$') GROUP BY log, partition`,
  )
  return sortedCut(rows.map(({ log, partition, next }) => ({ log, partition, offset: BigInt(next) }))).filter(
    ({ offset }) => offset > 0n,
  )
}

/** Behind the last offset that the ledger knows of the partition, or that is recorded as lost. */
export async function findLedgerEnd(clickHouse: ClickHouse, partition: LogPartition): Promise<bigint> {
  const [row] = await clickHouse.query<{ next: string }>(
    `SELECT toString(if(count() = 0, 0, max(offset) + 1)) AS next FROM usage_ledger
     WHERE log = {log:UInt16} AND partition = {partition:UInt16}`,
    partition,
  )
  return passLost(BigInt(row?.next ?? 0), await fetchLostRanges(clickHouse, partition))
}

/** As a running aggregator says it of a log, but for the instant until which it is complete: that is not known here. */
export async function writeProcessed(
  clickHouse: ClickHouse,
  log: number,
  ends: readonly bigint[],
): Promise<void> {
  const unknown = formatInstant(0)
  await clickHouse.insert(
    'usage_watermarks',
    ends.map((next_offset, partition) => ({
      ...{ topic: 'usage.events', log, partition, next_offset },
      ...{ complete_until: unknown, relayed_before: unknown },
    })),
  )
}
