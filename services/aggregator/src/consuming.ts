import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { aggregatorGroup } from '@tidemark/infra/installation/usage-log.ts'
import type { KafkaClient } from '@tidemark/infra/kafka/client.ts'
import { createPartitionConsumer, type PartitionConsumer } from '@tidemark/infra/kafka/consumer.ts'
import { readRecordAt } from '@tidemark/infra/kafka/record-reader.ts'
import { fetchEndOffsets, fetchOffsetRange } from '@tidemark/infra/kafka/topics.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { asFailure, Failure } from '@tidemark/infra/process/failure.ts'
import type { Component } from '@tidemark/infra/process/lifecycle.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { Metrics } from '@tidemark/infra/process/metrics.ts'
import type { Fatal } from '@tidemark/infra/process/service.ts'
import type { SchemaRegistry } from '@tidemark/infra/schema-registry/client.ts'
import { createAvroDecoder } from '@tidemark/infra/schema-registry/decoder.ts'
import { parseAvroSchema } from '@tidemark/schemas/avro-schema.ts'
import {
  deduplicationHorizonMs,
  topics,
  type UsageLog,
  usageEventsTopicOf,
  usageRejectedTopic,
} from '@tidemark/schemas/topics.ts'
import { createBatchGate } from './batch-gate.ts'
import { createBatchLog } from './batch-log.ts'
import type { AggregatorConfig } from './config.ts'
import { createConsumingMetrics } from './consuming-metrics.ts'
import { type StateSlot, takeSlot } from './deduplication/slot.ts'
import { registerStateMetrics } from './deduplication/state-metrics.ts'
import { findHistories } from './ledger/history.ts'
import { findByIdentity } from './ledger/ledger.ts'
import { createLoop, type StepObserver } from './loop.ts'
import { packedEventReader } from './packed-event.ts'
import { type OpenPartition, openPartition, type PartitionOptions } from './partition.ts'
import { createRecordReader } from './record-reader.ts'
import { createRejectedPublisher } from './rejected-publisher.ts'
import { readingIdentity } from './rows.ts'
import { createSink } from './sink.ts'
import { createWatermarks } from './watermarks.ts'

export type ConsumingDeps = {
  usageLog: UsageLog
  kafka: KafkaClient
  registry: SchemaRegistry
  clickHouse: ClickHouse
  log: Log
  clock: Clock
  metrics: Metrics
  fatal: Fatal
  onStep: StepObserver
}

export type Consuming = {
  readonly components: readonly Component[]
  /** What consuming waits for, while it does. */
  waitsFor(): string | undefined
}

/** While some batches wait for ClickHouse, others are decoded; more rows at a time only take more memory. */
const rowsAtOnce = 80_000
/** Fewer are what has just been sent while little is; where more come, a watermark for each would cost what they need. */
const hurriedRows = 100
const horizonMicros = deduplicationHorizonMs * 1000
const rejectedPartitions = topics.find(({ name }) => name === usageRejectedTopic)?.partitions ?? 1

/** From usage.events to ClickHouse, and how far it has come. */
export function buildConsuming(config: AggregatorConfig, deps: ConsumingDeps): Consuming {
  const { kafka, registry, clickHouse, clock, log } = deps
  const { usageLog } = deps
  const topic = `${config.TIDEMARK_PREFIX}${usageEventsTopicOf(usageLog.log)}`
  const stopping = new AbortController()
  const metrics = createConsumingMetrics(deps.metrics)
  const open = new Map<number, OpenPartition>()
  registerStateMetrics(deps.metrics, () => [...open.values()].map(({ state }) => state.use()))
  const gate = createBatchGate(rowsAtOnce)
  let slot: StateSlot | undefined

  const decoder = createAvroDecoder({
    registry,
    readerSchema: packedEventReader,
    parseSchema: parseAvroSchema,
  })
  const { signal } = stopping
  const reader = createRecordReader({
    decoder,
    partitions: usageLog.partitions,
    logger: log,
    metrics,
    signal,
  })
  const rejected = createRejectedPublisher(kafka, registry, config.TIDEMARK_PREFIX)
  const sink = createSink({
    clickHouse,
    publishRejected: rejected.publish,
    logger: log,
    insertTimeoutMs: config.AGGREGATOR_INSERT_TIMEOUT_MS,
    stepTimeoutMs: config.AGGREGATOR_WRITE_TIMEOUT_MS,
  })
  const handleBatch = createLoop({
    log: usageLog.log,
    topic,
    horizonMicros,
    rejectedPartitions,
    reader,
    sink,
    clock,
    metrics,
    findByIdentity: (identities) => findByIdentity(clickHouse, identities),
    findHistories: (identities) => findHistories(clickHouse, identities),
    batchLog: createBatchLog(log, metrics),
    onStep: deps.onStep,
  })
  const opening: PartitionOptions = {
    topic,
    ...usageLog,
    horizonMicros,
    filterBytes: config.AGGREGATOR_STATE_FILTER_BYTES,
    clickHouse,
    logger: log,
    metrics,
    directoryOf: (partition) => heldSlot(slot).directoryOf(partition),
    readRecordAt: (partition, offset) => readRecordAt(kafka, topic, partition, offset),
    fetchOffsetRange: (partition) => fetchOffsetRange(kafka, topic, partition),
    identityOf: async (record, partition) => readingIdentity(await reader.read(record, partition)),
    signal,
  }

  const consumer: PartitionConsumer = createPartitionConsumer(kafka, {
    topic,
    groupId: `${config.TIDEMARK_PREFIX}${aggregatorGroup(usageLog.log)}`,
    minBytes: config.AGGREGATOR_FETCH_MIN_BYTES,
    maxWaitTimeMs: config.AGGREGATOR_FETCH_MAX_WAIT_MS,
    maxBytesPerPartition: config.AGGREGATOR_FETCH_MAX_BYTES_PER_PARTITION,
    maxBytes: config.AGGREGATOR_FETCH_MAX_BYTES_PER_PARTITION * usageLog.partitions,
    sessionTimeoutMs: config.AGGREGATOR_SESSION_TIMEOUT_MS,
    partitionsConsumedConcurrently: usageLog.partitions,
    async openPartition(number) {
      const partition = await openPartition(number, opening)
      open.set(number, partition)
      return { nextOffset: partition.nextOffset }
    },
    async handleBatch(number, records, context) {
      const partition = open.get(number)
      if (partition === undefined) return
      await gate.run(records.length, () => handleBatch(number, partition, records, context))
      if (records.length < hurriedRows) watermarks.hurry()
      if (context.isStillAssigned()) return
      metrics.staleBatches.inc()
      log.warn(
        { partition: number, records: records.length },
        'a batch was written after its partition may have been taken over: the rows are the same, nothing is doubled',
      )
    },
    async closePartition(number) {
      const partition = open.get(number)
      open.delete(number)
      // Whoever has the partition now knows its lag.
      metrics.lag.remove({ partition: number })
      await partition?.state.close()
    },
    onFatal(error) {
      metrics.stops.inc({ code: asFailure(error).code })
      deps.fatal(error)
    },
  })

  const consuming: Component = {
    name: 'consumer of usage.events',
    async start() {
      await assertPartitions(kafka, topic, usageLog.partitions)
      slot = await takeSlot(config.AGGREGATOR_STATE_DIRECTORY, config.TIDEMARK_PREFIX, usageLog.log)
      await consumer.start()
    },
    async stop() {
      // In this order: what then ends with the signal's reason is no failure of a consumer that still consumes.
      const stopped = consumer.stop()
      stopping.abort(new Failure('the service stops', { code: 'stopping', retryable: true }))
      await stopped
      await rejected.close()
      await slot?.release()
    },
  }
  const watermarks = createWatermarks({
    clickHouse,
    clock,
    logger: log,
    log: usageLog.log,
    fetchEndOffsets: () => fetchEndOffsets(kafka, topic),
    processed: () => new Map([...open].map(([number, { nextOffset }]) => [number, nextOffset])),
    intervalMs: config.AGGREGATOR_WATERMARK_INTERVAL_MS,
  })
  return { components: [consuming, watermarks], waitsFor: reader.waitsFor }
}

/** Under another count every identity would be looked for in another partition. */
async function assertPartitions(kafka: KafkaClient, topic: string, partitions: number): Promise<void> {
  const { size } = await fetchEndOffsets(kafka, topic)
  if (size === partitions) return
  throw new Failure(
    `topic ${topic} has ${size} partitions instead of ${partitions}; another count is another log`,
    {
      code: 'topic_mismatch',
      retryable: false,
    },
  )
}

function heldSlot(slot: StateSlot | undefined): StateSlot {
  if (slot !== undefined) return slot
  throw new Failure('no slot was taken for the state', { code: 'unexpected', retryable: false })
}
