import { setTimeout as pause } from 'node:timers/promises'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { registerRecordSchema, usageEventRecordOf } from '@tidemark/infra/installation/record-schemas.ts'
import { topicProvision } from '@tidemark/infra/installation/topic-provision.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { closeTopic, fetchReplicationFactor } from '@tidemark/infra/kafka/closed-topic.ts'
import { fetchEndOffsets, provisionTopics, topicExists } from '@tidemark/infra/kafka/topics.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { retry } from '@tidemark/infra/process/retry.ts'
import type { SchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import {
  type UsageLog,
  usageEventsTopicOf,
  usageEventsTopicSpec,
  usageRejectedTopic,
} from '@tidemark/schemas/topics.ts'
import { proveContiguous } from '../sealing/ledger-proof.ts'
import { type LogRecord, readLogRecords, recordClosing, recordOpen } from './log-records.ts'
import { findLedgerEnd, readProcessedCut, writeProcessed } from './processed-cut.ts'

export type CutOverSources = {
  readonly clickHouse: ClickHouse
  readonly kafka: KafkaClient
  readonly registry: SchemaRegistry
  readonly pool: Queryable
  readonly prefix: string
  tell(line: string): void
}

export type CutOverOrder = {
  readonly to: number
  /** Partitions of the next log; as many as now unless given. */
  readonly partitions: number | undefined
  readonly ingestStopped: boolean
  readonly by: string
}

/** For so long nobody may have written before the log is closed. */
const silenceMs = 3_000
/** How long the aggregator may take to read what is left of the old log. */
const patienceMs = 600_000
const pollMs = 250
const tellEveryMs = 5_000

/**
 * Closes the log in use and opens the next. Every step can be done again: where it breaks off, it is run again with the
 * same words. The aggregator goes on reading the old log meanwhile; the state of the new one is carried over out of the
 * ledger when its partitions are opened.
 */
export async function cutOver(sources: CutOverSources, order: CutOverOrder): Promise<UsageLog> {
  const { kafka, pool, registry, prefix, tell } = sources
  const records = await readLogRecords(pool)
  const next = records.find(({ log }) => log === order.to)
  if (next?.state === 'open') return { log: next.log, partitions: next.partitions }
  const current = currentOf(records, order.to)
  if (!order.ingestStopped)
    throw refused('End every process of ingest first, and say so: --ingest-stopped', 'ingest_not_stopped')
  const topic = `${prefix}${usageEventsTopicOf(current.log)}`
  const ends = (await topicExists(kafka, topic))
    ? await closeLog(sources, topic)
    : await endsOfLedger(sources, current, topic)
  const usageLog = { log: order.to, partitions: order.partitions ?? current.partitions }
  await recordClosing(pool, { ...usageLog, previousEnds: ends, by: order.by })
  tell(`its end is recorded: ${ends.join(', ')}`)
  await awaitLedger(sources, current.log, ends)
  tell('the ledger has reached it')
  await provisionLog(
    kafka,
    prefix,
    usageLog,
    await fetchReplicationFactor(kafka, `${prefix}${usageRejectedTopic}`),
  )
  await registerRecordSchema(registry, prefix, usageEventRecordOf(order.to))
  tell(`${prefix}${usageEventsTopicOf(order.to)} is made`)
  await recordOpen(pool, order.to)
  return usageLog
}

function currentOf(records: readonly LogRecord[], to: number): LogRecord {
  const current = records.findLast(({ state }) => state === 'open')
  if (current !== undefined && current.log + 1 === to) return current
  throw refused(
    `The log in use is ${current?.log ?? 0}: the next one is ${(current?.log ?? 0) + 1}`,
    'not_the_next_log',
  )
}

async function closeLog({ kafka, tell }: CutOverSources, topic: string): Promise<bigint[]> {
  await assertSilent(kafka, topic)
  await closeTopic(kafka, topic)
  tell(`${topic} is closed for writing`)
  return endsOf(kafka, topic)
}

/**
 * A cluster that was lost has taken what the ledger does not have with it; nobody can write there any more. Nor will an
 * aggregator say how far the log was processed, which what it wrote last may lie behind: what no cut reaches is never billed.
 */
async function endsOfLedger(
  { clickHouse, tell }: CutOverSources,
  { log, partitions }: LogRecord,
  topic: string,
): Promise<bigint[]> {
  tell(`${topic} does not exist any more: what the ledger has of it is all of it`)
  const places = Array.from({ length: partitions }, (_, partition) => ({ log, partition }))
  const ends = await Promise.all(places.map((place) => findLedgerEnd(clickHouse, place)))
  await proveWhole(clickHouse, log, ends)
  await writeProcessed(clickHouse, log, ends)
  return ends
}

/** Ingest registers nowhere, so its silence is what can be seen of its being stopped. */
async function assertSilent(kafka: KafkaClient, topic: string): Promise<void> {
  const before = await fetchEndOffsets(kafka, topic)
  await pause(silenceMs)
  for (const [partition, end] of await fetchEndOffsets(kafka, topic))
    if (end !== before.get(partition))
      throw refused(
        `${topic}/${partition} has grown from ${before.get(partition)} to ${end} within ${silenceMs / 1000} s: something ` +
          'still writes to it. End every process of ingest, and look for other producers',
        'still_written',
      )
}

/** Of a topic that is closed: what was under way when it was closed is in or refused. */
async function endsOf(kafka: KafkaClient, topic: string): Promise<bigint[]> {
  const ends = [...(await fetchEndOffsets(kafka, topic))].sort(([a], [b]) => a - b)
  return ends.map(([, end]) => end)
}

/** Until the aggregator of the old log has read all of it, and the ledger has no gap. */
async function awaitLedger(
  { clickHouse, tell }: CutOverSources,
  log: number,
  ends: readonly bigint[],
): Promise<void> {
  const startedAt = performance.now()
  let toldAt = startedAt
  for (;;) {
    const cut = await readProcessedCut(clickHouse)
    const nextOf = (partition: number) =>
      cut.find((entry) => entry.log === log && entry.partition === partition)?.offset ?? 0n
    const behind = ends.reduce((sum, end, partition) => sum + (end - nextOf(partition)), 0n)
    if (behind === 0n) break
    if (performance.now() - startedAt > patienceMs)
      throw refused(
        `The aggregator is still ${behind} records behind the end of log ${log}: is it running, with USAGE_LOG=${log}? ` +
          'When it has read them, run this again',
        'ledger_behind',
      )
    if (performance.now() - toldAt > tellEveryMs) {
      toldAt = performance.now()
      tell(`waiting for the aggregator: ${behind} records are left in log ${log}`)
    }
    await pause(pollMs)
  }
  await proveWhole(clickHouse, log, ends)
}

function proveWhole(clickHouse: ClickHouse, log: number, ends: readonly bigint[]): Promise<void> {
  const ranges = ends.map((to, partition) => ({ log, partition, from: 0n, to }))
  return proveContiguous(
    clickHouse,
    ranges.filter(({ to }) => to > 0n),
  )
}

async function provisionLog(
  kafka: KafkaClient,
  prefix: string,
  usageLog: UsageLog,
  replicationFactor: number,
): Promise<void> {
  await provisionTopics(kafka, [
    topicProvision(usageEventsTopicSpec(usageLog), { prefix, replicationFactor }),
  ])
  const topic = `${prefix}${usageEventsTopicOf(usageLog.log)}`
  // A topic that was just made has no leaders for a moment.
  const ends = await retry(() => endsOf(kafka, topic), { attempts: 8, minDelayMs: 100, maxDelayMs: 2_000 })
  if (ends.some((end) => end > 0n))
    throw refused(
      `${topic} exists already and holds records: a new log begins empty. If they are of no worth, delete the topic`,
      'log_not_empty',
    )
}

const refused = (message: string, code: string): Failure => new Failure(message, { code, retryable: false })
