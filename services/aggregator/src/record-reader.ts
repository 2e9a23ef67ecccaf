import { setTimeout as pause } from 'node:timers/promises'
import type { KafkaRecord } from '@tidemark/infra/kafka/record.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { AvroDecoder } from '@tidemark/infra/schema-registry/decoder.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import type { ConsumingMetrics } from './consuming-metrics.ts'
import { type Reading, readRecord } from './decode.ts'
import type { DecodedRecord } from './deduplication/decide.ts'

export type RecordReaderOptions = {
  decoder: AvroDecoder<UsageEvent>
  partitions: number
  logger: Log
  metrics: Pick<ConsumingMetrics, 'registryWaits'>
  /** Ends waiting, with the signal's reason. */
  signal: AbortSignal
}

export type RecordReader = {
  read(record: KafkaRecord, partition: number): Promise<Reading>
  /** `onWait` is called before each wait for the registry. */
  readAll(records: readonly KafkaRecord[], partition: number, onWait: () => void): Promise<DecodedRecord[]>
  /** What is waited for, while it is. */
  waitsFor(): string | undefined
}

const firstWaitMs = 200
const longestWaitMs = 5_000

/**
 * Reads records without ever rejecting one for what the registry does not know (yet) or does not say: such a record may
 * be usage that somebody pays for, so its partition waits, with a warning and a metric, until a person or time helps.
 */
export function createRecordReader(options: RecordReaderOptions): RecordReader {
  const waiting = new Set<string>()

  const awaitSchema = async (schemaId: number, partition: number, onWait: () => void): Promise<void> => {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      options.signal.throwIfAborted()
      try {
        return await options.decoder.resolve(schemaId)
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        const reason = `partition ${partition} waits for schema ${schemaId}: ${error.message}`
        waiting.add(reason)
        options.metrics.registryWaits.inc({ code: error.code })
        // What is not over in some seconds needs a person: everything behind this record waits with it.
        const level = waitMs < longestWaitMs ? 'warn' : 'error'
        options.logger[level]({ partition, schemaId, code: error.code, waitMs }, reason)
        onWait()
        await pause(waitMs, undefined, { signal: options.signal }).finally(() => waiting.delete(reason))
      }
    }
  }

  const read = async (record: KafkaRecord, partition: number, onWait: () => void): Promise<Reading> => {
    for (;;) {
      const reading = readRecord(record.value, partition, options)
      if (reading.kind !== 'unresolved') return reading
      await awaitSchema(reading.schemaId, partition, onWait)
    }
  }

  return {
    read: (record, partition) => read(record, partition, () => {}),
    async readAll(records, partition, onWait) {
      const decoded: DecodedRecord[] = []
      for (const record of records) {
        // Nearly always at hand: a promise per record would cost as much as reading it.
        const known = readRecord(record.value, partition, options)
        const reading = known.kind === 'unresolved' ? await read(record, partition, onWait) : known
        decoded.push({ offset: record.offset, appendTimeMicros: record.timestampMs * 1000, reading })
      }
      return decoded
    },
    waitsFor: () => waiting.values().next().value,
  }
}
