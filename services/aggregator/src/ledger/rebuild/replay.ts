import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { offsetGap } from '@tidemark/infra/kafka/offset-check.ts'
import { readRecordAt } from '@tidemark/infra/kafka/record-reader.ts'
import { fetchOffsetRange } from '@tidemark/infra/kafka/topics.ts'
import { systemClock } from '@tidemark/infra/process/clock.ts'
import { createMetrics } from '@tidemark/infra/process/metrics.ts'
import { deduplicationHorizonMs } from '@tidemark/schemas/topics.ts'
import { createBatchLog } from '../../batch-log.ts'
import { createConsumingMetrics } from '../../consuming-metrics.ts'
import { createLoop, type HandleBatch } from '../../loop.ts'
import { type OpenPartition, openPartition } from '../../partition.ts'
import type { LogPartition } from '../../place.ts'
import { readingIdentity } from '../../rows.ts'
import type { Sink } from '../../sink.ts'
import { findHistories } from '../history.ts'
import { findByIdentity } from '../ledger.ts'
import type { LogSource, LogSources } from '../log-source.ts'
import { throttled } from '../progress.ts'

const horizonMicros = deduplicationHorizonMs * 1000
/** Of one partition at a time. */
const filterBytes = 67_108_864
const insertTimeout = { timeoutMs: 120_000 }

/**
 * Decides the records that Kafka still has anew, by the aggregator's own loop, over whatever the tables below them say. Its
 * state lies in a folder of its own, and nothing is published.
 * @param clickHouse the tables beside those in use
 * @param ends how far, by partition (exclusive)
 */
export async function replayLog(
  sources: LogSources & { tell(line: string): void },
  clickHouse: ClickHouse,
  source: LogSource,
  log: number,
  ends: ReadonlyMap<number, bigint>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-rebuild-'))
  try {
    for (const [partition, end] of ends) {
      const open = await openAt(sources, clickHouse, source, { log, partition }, directory)
      try {
        await replayPartition(sources, clickHouse, source, { log, partition }, open, end)
      } finally {
        await open.state.close()
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function openAt(
  { kafka, log: logger }: LogSources,
  clickHouse: ClickHouse,
  { topic, reader, kept }: LogSource,
  { log, partition: number }: LogPartition,
  directory: string,
): Promise<OpenPartition> {
  const metrics = createConsumingMetrics(createMetrics('ledger'))
  const open = await openPartition(number, {
    topic,
    log,
    partitions: kept.size,
    horizonMicros,
    filterBytes,
    clickHouse,
    logger,
    metrics,
    directoryOf: (partition) => join(directory, `p-${partition}`),
    readRecordAt: (partition, offset) => readRecordAt(kafka, topic, partition, offset),
    fetchOffsetRange: (partition) => fetchOffsetRange(kafka, topic, partition),
    identityOf: async (record, partition) => readingIdentity(await reader.read(record, partition)),
    signal: new AbortController().signal,
  })
  const range = kept.get(number)
  if (range === undefined || open.nextOffset >= range.earliest) return open
  await open.state.close()
  throw offsetGap({ topic, partition: number }, open.nextOffset, range.earliest)
}

async function replayPartition(
  { log: logger, tell }: LogSources & { tell(line: string): void },
  clickHouse: ClickHouse,
  source: LogSource,
  { log, partition }: LogPartition,
  open: OpenPartition,
  end: bigint,
): Promise<void> {
  const metrics = createConsumingMetrics(createMetrics('ledger'))
  const handle: HandleBatch = createLoop({
    log,
    topic: source.topic,
    horizonMicros,
    rejectedPartitions: 1,
    reader: source.reader,
    sink: sinkOf(clickHouse),
    clock: systemClock,
    metrics,
    findByIdentity: (identities) => findByIdentity(clickHouse, identities),
    findHistories: (identities) => findHistories(clickHouse, identities),
    batchLog: createBatchLog(logger, metrics),
    onStep: () => {},
  })
  const context = { isStillAssigned: () => true, reportProgress: () => {}, highWatermark: end }
  const progress = throttled(tell)
  for await (const records of source.records(partition, open.nextOffset, end)) {
    await handle(partition, open, records, context)
    progress(`replayed ${source.topic}/${partition} up to ${open.nextOffset} of ${end}`)
  }
}

/** Rejected records have been published long ago. */
const sinkOf = (clickHouse: ClickHouse): Sink => ({
  async writeEvidence(evidence) {
    for (const { table, columns, bytes } of evidence)
      await clickHouse.insertNative(table, columns, [bytes], insertTimeout)
  },
  writeLedger: ({ table, columns, bytes }) => clickHouse.insertNative(table, columns, [bytes], insertTimeout),
})
