import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { UsageLog } from '@tidemark/schemas/topics.ts'

/** RFC 3339: what was acknowledged on usage.events before is in the ledger. Null before every partition has begun. */
export async function findProcessedUntil(clickHouse: ClickHouse, usageLog: UsageLog): Promise<string | null> {
  const [row] = await clickHouse.query<{ partitions: string; until: string }>(
    `SELECT count() AS partitions, min(complete) AS until FROM (
       SELECT partition, max(complete_until) AS complete FROM usage_watermarks
       WHERE match(topic, '^usage[.]events([.][0-9]+)?$') AND log = {log:UInt16} GROUP BY partition)`,
    { log: usageLog.log },
  )
  return row !== undefined && Number(row.partitions) === usageLog.partitions ? row.until : null
}
