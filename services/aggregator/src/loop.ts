import type { BatchContext } from '@tidemark/infra/kafka/consumer.ts'
import type { KafkaRecord } from '@tidemark/infra/kafka/record.ts'
import type { Clock } from '@tidemark/infra/process/clock.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { BatchLog } from './batch-log.ts'
import type { ConsumingMetrics } from './consuming-metrics.ts'
import type { HistoryEntry } from './deduplication/correction.ts'
import {
  correctedIdentities,
  type DecodedRecord,
  decide,
  type LedgerClaim,
  ledgerQuestions,
  type Outcome,
} from './deduplication/decide.ts'
import type { DeduplicationState } from './deduplication/state.ts'
import type { OpenPartition } from './partition.ts'
import type { RecordReader } from './record-reader.ts'
import { encodeRejected, isOversize } from './rejected.ts'
import { encodeRows, readingIdentity } from './rows.ts'
import type { Sink } from './sink.ts'

export type Step =
  | 'decoded'
  | 'decided'
  | 'raw-inserted'
  | 'ledger-inserted'
  | 'state-committed'
  | 'offset-committed'

/** Told after each step of a batch. */
export type StepObserver = (step: Step, partition: number) => void

export type LoopOptions = {
  log: number
  topic: string
  horizonMicros: number
  rejectedPartitions: number
  reader: RecordReader
  sink: Sink
  findByIdentity(identities: readonly Buffer[]): Promise<ReadonlyMap<string, readonly LedgerClaim[]>>
  findHistories(identities: readonly Buffer[]): Promise<ReadonlyMap<string, readonly HistoryEntry[]>>
  clock: Clock
  batchLog: BatchLog
  metrics: Pick<ConsumingMetrics, 'ledgerQuestions' | 'oversizeRejections'>
  onStep: StepObserver
}

export type HandleBatch = (
  number: number,
  partition: OpenPartition,
  records: readonly KafkaRecord[],
  context: BatchContext,
) => Promise<void>

/**
 * One batch of one partition, from Kafka to ClickHouse. The order of the steps is what makes it exact: whatever a crash
 * between two of them leaves behind is written again with the same content, or does not count yet.
 */
export function createLoop(options: LoopOptions): HandleBatch {
  const { reader, sink, onStep, batchLog } = options
  // A partition's next batch comes after the offset of the one before was committed.
  const handled = new Set<number>()

  return async (number, partition, records, context) => {
    const first = records[0]
    if (first === undefined) return
    assertFollows(number, partition, first.offset)
    if (handled.has(number)) onStep('offset-committed', number)
    handled.add(number)
    const took = batchLog.begin()

    // 1. Decode. A crash costs this work; an unknown schema waits here.
    const batch = await reader.readAll(records, number, context.reportProgress)
    assertAppendTimes(number, batch, options.clock)
    took.end('decode')
    onStep('decoded', number)

    // 2. Decide each offset against what lies below it. Nothing is kept of it yet, so a crash costs this work only.
    const outcome = await decideBatch(number, partition.state, batch, options)
    took.end('decide')
    onStep('decided', number)

    // 3a. Raw events, look-up copies, rejected records, all acknowledged. After a crash they are written again, alike,
    // and collapse; until the ledger names them, a close does not count them.
    const rows = encodeRows(options.log, number, outcome.decisions)
    const origin = { topic: options.topic, partition: number, rejectedPartitions: options.rejectedPartitions }
    await sink.writeEvidence(rows.evidence, encodeRejected(records, outcome.decisions, origin))
    const oversize = outcome.decisions.filter(({ rejection }, index) => {
      const record = records[index]
      return rejection !== undefined && record !== undefined && isOversize(record)
    })
    options.metrics.oversizeRejections.inc(oversize.length)
    took.end('insert_raw')
    onStep('raw-inserted', number)

    // 3b. The ledger: from here on these offsets are done. A crash before the next step leaves the state behind; it
    // catches up from the ledger when the partition is opened.
    await sink.writeLedger(rows.ledger)
    took.end('insert_ledger')
    onStep('ledger-inserted', number)

    // 4. The state with its next offset, in one atomic write. A crash after it costs nothing but a Kafka offset that
    // lies behind, and that is only a hint.
    const nextOffset = first.offset + BigInt(records.length)
    await commitState(partition.state, outcome, nextOffset)
    took.end('commit_state')
    onStep('state-committed', number)

    // 5. The consumer commits the Kafka offset when this returns; the watermark follows from here.
    partition.nextOffset = nextOffset
    batchLog.done(number, outcome.decisions, context.highWatermark - nextOffset, took)
  }
}

/** A batch below what the state stands for would be decided by what came later. */
function assertFollows(number: number, { nextOffset }: OpenPartition, offset: bigint): void {
  if (offset === nextOffset) return
  throw new Failure(`partition ${number} was handed offset ${offset} where ${nextOffset} is next`, {
    code: 'offset_unexpected',
    retryable: false,
  })
}

const hourMicros = 3_600_000_000

/** Log time never goes back: one record from a broker whose clock is ahead would expire identities for good. */
function assertAppendTimes(number: number, batch: readonly DecodedRecord[], clock: Clock): void {
  const latest = clock.nowMicros() + hourMicros
  const ahead = batch.find(({ appendTimeMicros }) => appendTimeMicros > latest)
  if (ahead === undefined) return
  const at = new Date(ahead.appendTimeMicros / 1000).toISOString()
  throw new Failure(
    `partition ${number}, offset ${ahead.offset}: its append time ${at} is more than an hour ahead of this machine's ` +
      'clock. Set the clocks of the broker and of this machine right, then start again',
    { code: 'append_time_ahead', retryable: false },
  )
}

async function decideBatch(
  number: number,
  state: DeduplicationState,
  batch: readonly DecodedRecord[],
  { log, horizonMicros, findByIdentity, findHistories, metrics }: LoopOptions,
): Promise<Outcome> {
  const claims = await state.findClaims(batch.map(({ reading }) => readingIdentity(reading)))
  const knowledge = {
    log,
    partition: number,
    horizonMicros,
    logTimeMicros: state.position.logTimeMicros,
    claims,
  }
  const questions = ledgerQuestions(batch, knowledge)
  const corrected = correctedIdentities(batch)
  metrics.ledgerQuestions.inc(questions.length + corrected.length)
  const ledger = questions.length === 0 ? new Map() : await findByIdentity(questions)
  const histories = corrected.length === 0 ? new Map() : await findHistories(corrected)
  return decide(batch, { ...knowledge, ledger, histories })
}

function commitState(state: DeduplicationState, outcome: Outcome, nextOffset: bigint): Promise<void> {
  const last = outcome.decisions[outcome.decisions.length - 1]?.record
  const { logTimeMicros } = outcome
  return state.commit([...outcome.claimed.values()], {
    nextOffset,
    logTimeMicros,
    last: last && {
      offset: last.offset,
      identity: readingIdentity(last.reading),
      appendTimeMicros: last.appendTimeMicros,
    },
  })
}
