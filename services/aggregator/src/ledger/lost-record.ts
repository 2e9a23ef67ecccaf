import { hostname, userInfo } from 'node:os'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { fetchOffsetRange, type OffsetRange as LogRange, topicExists } from '@tidemark/infra/kafka/topics.ts'
import { usageEventsTopicOf } from '@tidemark/schemas/topics.ts'
import type { LostOrder } from './ledger-order.ts'

export type LostSources = {
  readonly clickHouse: ClickHouse
  readonly kafka: KafkaClient
  readonly prefix: string
}

export type LostPlan = {
  /** What is there and what will be recorded, for the person who decides. */
  readonly lines: readonly string[]
  /** Why it must not be recorded, unless somebody says why it may. */
  readonly objections: readonly string[]
}

/** Looks at what Kafka and the ledger still have of the offsets. */
export async function planLost(
  { clickHouse, kafka, prefix }: LostSources,
  order: LostOrder,
): Promise<LostPlan> {
  const { log, partition, first, last } = order
  const topic = `${prefix}${usageEventsTopicOf(log)}`
  const held = (await topicExists(kafka, topic)) ? await fetchOffsetRange(kafka, topic, partition) : undefined
  const [row] = await clickHouse.query<{ rows: string }>(
    `SELECT toString(uniqExact(offset)) AS rows FROM usage_ledger
     WHERE log = {log:UInt16} AND partition = {partition:UInt16}
       AND offset >= {first:UInt64} AND offset <= {last:UInt64}`,
    { log, partition, first: first.toString(), last: last.toString() },
  )
  const rows = BigInt(row?.rows ?? 0)
  return {
    lines: [
      `log ${log}, partition ${partition}: ${last - first + 1n} offsets, ${first} to ${last}, are to be recorded as lost`,
      `  Kafka   ${held === undefined ? `has no topic ${topic}` : `${topic}/${partition} begins at ${held.earliest} and ends before ${held.end}`}`,
      `  ledger  has rows for ${rows} of them`,
      `  reason  ${order.reason}`,
      'The aggregator then goes on behind them, and the certificate of every invoice whose cut covers them shows them.',
    ],
    objections: [
      ...(rows === 0n ? [] : [`the ledger has rows for ${rows} of the offsets: these are not lost`]),
      ...kafkaObjections(order, held),
    ],
  }
}

function kafkaObjections({ first, last }: LostOrder, held: LogRange | undefined): string[] {
  if (held === undefined) return []
  const from = first > held.earliest ? first : held.earliest
  const to = last < held.end - 1n ? last : held.end - 1n
  return [
    ...(from <= to
      ? [`Kafka still has offsets ${from} to ${to}: the aggregator can consume them, start it again`]
      : []),
    ...(last >= held.end
      ? [`Kafka has not written offsets from ${held.end} on yet: events to come would be passed over`]
      : []),
  ]
}

/** Recorded for good: nothing removes a row of usage_lost. */
export async function recordLost(clickHouse: ClickHouse, order: LostOrder, nowMs: number): Promise<void> {
  const { log, partition, first, last, reason, force } = order
  const row = {
    log,
    partition,
    first_offset: first,
    last_offset: last,
    reason: force === undefined ? reason : `${reason} (forced: ${force})`,
    recorded_by: order.by ?? operator(),
    recorded_at: new Date(nowMs).toISOString(),
  }
  await clickHouse.insert('usage_lost', [row])
}

/** Who runs a command, where nobody is named. */
export const operator = (): string => `${userInfo().username}@${hostname()}`

type LostRow = {
  log: number
  partition: number
  first: string
  last: string
  reason: string
  by: string
  at: string
}

/** One line per record, its fields split by tabs. */
export async function lostLines(clickHouse: ClickHouse): Promise<string[]> {
  const rows = await clickHouse.query<LostRow>(
    `SELECT log, partition, toString(first_offset) AS first, toString(last_offset) AS last, reason,
       recorded_by AS by, toString(recorded_at) AS at
     FROM usage_lost FINAL ORDER BY log, partition, first_offset, last_offset`,
  )
  return rows.map(({ log, partition, first, last, at, by, reason }) =>
    [`${log}/${partition}`, first, last, at, by, reason]
      .map((text) => text.replaceAll(/\s+/g, ' '))
      .join('\t'),
  )
}

export const lostHeading = ['log/partition', 'first', 'last', 'recorded', 'by', 'reason'].join('\t')
