import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { type Cut, sortedCut } from '@tidemark/schemas/cut.ts'

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
