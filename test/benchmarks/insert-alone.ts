import { type BatchRows, encodeRows } from '@tidemark/aggregator/rows.ts'
import { createClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { identityKey, partitionOf } from '@tidemark/schemas/event-identity.ts'
import { currentLog, usagePartitions } from '@tidemark/schemas/topics.ts'
import { benchEvent } from './bench-event.ts'
import { answerOrder } from './worker.ts'

export type InsertOrder = {
  url: string
  user: string
  password: string
  /** Whose usage tables are empty. */
  database: string
  run: string
  events: number
  batchRows: number
}

export type InsertReport = { events: number; seconds: number }

type Decision = Parameters<typeof encodeRows>[2][number]

/** The ceiling of the aggregator's writing side: its rows, encoded before, in its order, one lane per partition. */
async function insert(order: InsertOrder): Promise<InsertReport> {
  const { url, user, password, database } = order
  const clickHouse = createClickHouse({ url, user, password, database, maxConnections: 40 })
  const lanes = decideAll(order).map((decisions, partition) =>
    encodeBatches(decisions, partition, order.batchRows),
  )
  const startedAt = performance.now()
  await Promise.all(
    lanes.map(async (batches) => {
      for (const { evidence, ledger } of batches) {
        await Promise.all(
          evidence.map(({ table, columns, bytes }) => clickHouse.insertNative(table, columns, [bytes])),
        )
        await clickHouse.insertNative(ledger.table, ledger.columns, [ledger.bytes])
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  await clickHouse.close()
  return { events: order.events, seconds }
}

/** Every event as the aggregator would have accepted it, by partition. */
function decideAll({ run, events }: InsertOrder): Decision[][] {
  const lanes: Decision[][] = Array.from({ length: usagePartitions }, () => [])
  for (let serial = 0; serial < events; serial += 1) {
    const event = benchEvent(run, serial)
    const identity = identityKey(event.tenantNumber, event.source, event.id)
    const partition = partitionOf(identity, usagePartitions)
    const offset = BigInt(lanes[partition]?.length ?? 0)
    lanes[partition]?.push({
      record: { offset, appendTimeMicros: event.acceptedAt, reading: { kind: 'event', event, identity } },
      verdict: 'accepted',
      first: { log: currentLog, partition, offset },
      rejection: undefined,
      supersedes: undefined,
    })
  }
  return lanes
}

function encodeBatches(decisions: readonly Decision[], partition: number, batchRows: number): BatchRows[] {
  const batches: BatchRows[] = []
  for (let at = 0; at < decisions.length; at += batchRows)
    batches.push(encodeRows(currentLog, partition, decisions.slice(at, at + batchRows)))
  return batches
}

answerOrder(insert)
