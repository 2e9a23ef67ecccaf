import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { assertWithinLog } from '@tidemark/infra/kafka/offset-check.ts'
import type { KafkaRecord } from '@tidemark/infra/kafka/record.ts'
import type { OffsetRange } from '@tidemark/infra/kafka/topics.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { ConsumingMetrics } from './consuming-metrics.ts'
import { keptMicros } from './deduplication/decide.ts'
import { type Fingerprint, isSameRecord } from './deduplication/position.ts'
import { type DeduplicationState, openState } from './deduplication/state.ts'
import { catchUp } from './ledger/catch-up.ts'
import { seedFromEarlierLogs } from './ledger/earlier-logs.ts'
import { countContiguous, fetchLedgerRow, findKeptFrom, streamLedger } from './ledger/ledger.ts'
import { fetchLostRanges } from './ledger/lost-ranges.ts'
import type { LogPartition } from './place.ts'

export type PartitionOptions = {
  topic: string
  log: number
  /** Their count in this log. */
  partitions: number
  horizonMicros: number
  /** The most memory that the filter of one partition's state takes. */
  filterBytes: number
  clickHouse: ClickHouse
  logger: Log
  metrics: Pick<ConsumingMetrics, 'ledgerGaps'>
  directoryOf(partition: number): string
  /** Reads one record again; null where the log does not hold it. */
  readRecordAt(partition: number, offset: bigint): Promise<KafkaRecord | null>
  fetchOffsetRange(partition: number): Promise<OffsetRange>
  /** Identity of a record's bytes, zeros where they have none; waits for the registry if it must. */
  identityOf(record: KafkaRecord, partition: number): Promise<Buffer>
  signal: AbortSignal
}

export type OpenPartition = {
  readonly state: DeduplicationState
  /** Where the ledger says to go on. */
  nextOffset: bigint
}

/**
 * Opens a partition where the ledger's proof ends, whatever Kafka or the local state say, with a state that stands for
 * exactly what lies below. The record before it is then held against the log, so that another log is never taken for
 * this one.
 */
export async function openPartition(number: number, options: PartitionOptions): Promise<OpenPartition> {
  const { clickHouse, logger, log } = options
  const partition = { log, partition: number }
  const lost = await fetchLostRanges(clickHouse, partition)
  const state = await openTrustedState(partition, options)
  try {
    let from = state.position.nextOffset
    if (from === 0n) {
      await seed(state, partition, options)
      const proven = await countContiguous(clickHouse, partition, lost)
      from = await findKeptFrom(clickHouse, partition, proven, keptMicros(options.horizonMicros))
    }
    const rows = streamLedger(clickHouse, partition, from)
    const onProgress = (at: bigint) =>
      logger.info({ partition: number, at }, 'state caught up with the ledger')
    const { nextOffset, beyondGap } = await catchUp({
      partition,
      state,
      from,
      rows,
      lost,
      signal: options.signal,
      onProgress,
    })
    if (beyondGap !== undefined) {
      options.metrics.ledgerGaps.inc()
      logger.error(
        { partition: number, from: nextOffset, to: beyondGap },
        'the ledger has a gap; it is consumed again from the beginning of the gap on',
      )
    }
    await assertSameLog(number, nextOffset, state.position.last, options)
    return { state, nextOffset }
  } catch (error) {
    await state.close()
    throw error
  }
}

/** A new log goes on from those before it; the first has none. */
async function seed(
  state: DeduplicationState,
  partition: LogPartition,
  options: PartitionOptions,
): Promise<void> {
  if (partition.log === 1) return
  const seeded = await seedFromEarlierLogs(state, { ...options, ...partition })
  options.logger.info({ ...partition, seeded }, 'state carried over from earlier logs')
}

/** The local state if its last record is what the ledger says at that offset; otherwise an empty one. */
async function openTrustedState(
  partition: LogPartition,
  options: PartitionOptions,
): Promise<DeduplicationState> {
  const { clickHouse, logger } = options
  const directory = options.directoryOf(partition.partition)
  const open = () =>
    openState(directory, {
      keptMicros: keptMicros(options.horizonMicros),
      filterBytes: options.filterBytes,
      onDamage: (err) => logger.warn({ err, directory }, 'damaged deduplication state is rebuilt'),
    })
  const state = await open()
  const { last, nextOffset } = state.position
  if (nextOffset === 0n) return state
  const row = last && (await fetchLedgerRow(clickHouse, partition, last.offset))
  if (last !== undefined && row !== undefined && isSameRecord(last, row)) return state
  logger.warn({ directory, nextOffset }, 'deduplication state is not what the ledger says and is rebuilt')
  await state.discard()
  return open()
}

/** Holds the record before `nextOffset` against the ledger's row; where retention took it, the log must begin there. */
async function assertSameLog(
  partition: number,
  nextOffset: bigint,
  ledgerEnd: Fingerprint | undefined,
  options: PartitionOptions,
): Promise<void> {
  // What an operator declared lost has no row, and needs none: nothing is known of it that could differ.
  if (ledgerEnd === undefined || ledgerEnd.offset + 1n !== nextOffset) return
  const record = await options.readRecordAt(partition, ledgerEnd.offset)
  if (record === null) {
    const range = await options.fetchOffsetRange(partition)
    assertWithinLog({ topic: options.topic, partition }, nextOffset, range)
    if (range.earliest === nextOffset) return
    throw anotherLog(
      options.topic,
      partition,
      ledgerEnd,
      'the log does not hold that offset, but earlier ones',
    )
  }
  const found = {
    offset: record.offset,
    identity: await options.identityOf(record, partition),
    appendTimeMicros: record.timestampMs * 1000,
  }
  if (!isSameRecord(ledgerEnd, found))
    throw anotherLog(options.topic, partition, ledgerEnd, 'the log holds another record there')
}

const anotherLog = (topic: string, partition: number, { offset }: Fingerprint, what: string): Failure =>
  new Failure(
    `${topic}/${partition} is not the log that the ledger knows: at offset ${offset} ${what}. Nothing is consumed, for ` +
      'its offsets mean something else. If the topic was made anew or restored, cut over to the next log number',
    { code: 'another_log', retryable: false },
  )
