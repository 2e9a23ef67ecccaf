import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { readCurrentUsageLog } from '@tidemark/infra/installation/usage-log.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { parseClickHouseInstant } from '@tidemark/schemas/instant.ts'
import { inboundTopic } from '@tidemark/schemas/topics.ts'
import { type Completeness, completenessOf, eventsTopic, type Watermark } from './completeness.ts'

type Row = {
  topic: string
  log: number
  partition: number
  nextOffset: string
  completeUntil: string
  relayedBefore: string
}

/** Reads where a tenant's usage stands, each time anew; what a relay said earlier is remembered between readings. */
export function createCompletenessReader(
  { clickHouse, pool }: { clickHouse: ClickHouse; pool: Queryable },
  tenant: string,
): () => Promise<Completeness> {
  const sightings: Watermark[] = []
  return async () => {
    const watermarks = await readWatermarks(clickHouse, [eventsTopic, inboundTopic(tenant)])
    sightings.push(...watermarks.filter(({ topic }) => topic !== eventsTopic))
    return completenessOf(
      tenant,
      watermarks.filter(({ topic }) => topic === eventsTopic),
      sightings,
      await readCurrentUsageLog(pool),
    )
  }
}

async function readWatermarks(clickHouse: ClickHouse, topics: readonly string[]): Promise<Watermark[]> {
  const rows = await clickHouse.query<Row>(
    `SELECT topic, log, partition, toString(max(next_offset)) AS nextOffset,
       toString(max(complete_until)) AS completeUntil, toString(max(relayed_before)) AS relayedBefore
     FROM usage_watermarks WHERE topic IN {topics:Array(String)} GROUP BY topic, log, partition`,
    { topics },
  )
  return rows.map((row) => ({
    ...row,
    nextOffset: BigInt(row.nextOffset),
    completeUntil: parseClickHouseInstant(row.completeUntil),
    relayedBefore: parseClickHouseInstant(row.relayedBefore),
  }))
}
