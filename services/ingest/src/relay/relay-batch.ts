import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import type { BatchContext } from '@tidemark/infra/kafka/consumer.ts'
import type { KafkaRecord, OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { asFailure } from '@tidemark/infra/process/failure.ts'
import type { Log } from '@tidemark/infra/process/log.ts'
import type { DataChecks } from '../event-schemas/component.ts'
import type { EventRules } from '../events/event-rules.ts'
import type { EncodeEvent } from '../events/usage-record.ts'
import type { IngestMetrics } from '../ingest-metrics.ts'
import type { Tenant } from '../tenants.ts'
import { readInboundRecord } from './inbound-record.ts'
import { encodeRejected } from './rejected-record.ts'

export type RelayBatchOptions = {
  log: Log
  metrics: IngestMetrics
  rules: EventRules
  dataChecks: DataChecks
  encode: EncodeEvent
  rejectedSchemaId: number
  publish(messages: readonly OutboundMessage[]): Promise<void>
  publishRejected(messages: readonly OutboundMessage[]): Promise<void>
  /** Ends the waiting for a Kafka that does not answer. */
  stopping: AbortSignal
}

export type InboundBatch = {
  tenant: Tenant
  topic: string
  partition: number
  records: readonly KafkaRecord[]
  context: BatchContext
}

/** So many records are decided before requests get their turn again. */
const sliceRecords = 250
/** And fewer, when the schemas of their tenant take long. */
const sliceMs = 20
const pauseMs = 500

/**
 * Publishes a batch of one inbound partition: valid events to usage.events, the others to usage.rejected. Resolves true
 * when both are acknowledged, false when the partition was taken away meanwhile. While Kafka does not answer, or an ACL
 * is missing, it waits: the records are safe where they are, and HTTP goes on.
 */
export async function relayBatch(batch: InboundBatch, options: RelayBatchOptions): Promise<boolean> {
  const published: Promise<boolean>[] = []
  // Identities of this batch that may not be on usage.events yet.
  const underWay = new Set<string>()
  const areAllPublished = async () => (await Promise.all(published)).every((each) => each)
  for (let from = 0; from < batch.records.length; ) {
    const slice = decideSlice(batch, batch.records.slice(from, from + sliceRecords), underWay, options)
    from += slice.events.length + slice.rejected.length
    const done = publishSlice(slice, batch, options)
    // Awaited below; a failure meanwhile must not count as unhandled.
    done.catch(() => {})
    published.push(done)
    await turn()
    if (!slice.endsBeforeCorrection) continue
    if (!(await areAllPublished())) return false
    underWay.clear()
  }
  return areAllPublished()
}

type Slice = {
  events: OutboundMessage[]
  rejected: OutboundMessage[]
  codes: string[]
  /**
   * The next record corrects what is under way. Sends that fail are repeated on their own, so it could come before what it
   * corrects, and would be rejected: it waits until that is acknowledged.
   */
  endsBeforeCorrection: boolean
}

/** Of the first records, at least one, unless that one has to wait. */
function decideSlice(
  batch: InboundBatch,
  records: readonly KafkaRecord[],
  underWay: Set<string>,
  options: RelayBatchOptions,
): Slice {
  const { tenant, topic, partition } = batch
  const slice: Slice = { events: [], rejected: [], codes: [], endsBeforeCorrection: false }
  const origin = { tenant: tenant.id, topic, partition }
  const checkData = options.dataChecks.of(tenant.id)
  const began = performance.now()
  for (const record of records) {
    const read = readInboundRecord(record, options.rules, checkData)
    if (read.kind === 'event') {
      const acceptedAt = record.timestampMs * 1000
      const message = options.encode(read, { tenant: tenant.id, tenantNumber: tenant.number, acceptedAt })
      const identity = message.key.toString('latin1')
      slice.endsBeforeCorrection = read.action !== 'none' && underWay.has(identity)
      if (slice.endsBeforeCorrection) break
      underWay.add(identity)
      slice.events.push(message)
    } else {
      slice.rejected.push(encodeRejected(record, read, origin, options.rejectedSchemaId))
      slice.codes.push(read.code)
    }
    options.metrics.received('kafka', record.value?.length ?? 0)
    if (checkData && performance.now() - began > sliceMs) break
  }
  return slice
}

async function publishSlice(slice: Slice, batch: InboundBatch, options: RelayBatchOptions): Promise<boolean> {
  const published = options.metrics.publishing('kafka')
  try {
    for (;;) {
      try {
        await Promise.all([options.publish(slice.events), options.publishRejected(slice.rejected)])
        options.metrics.accepted('kafka', slice.events.length)
        for (const code of slice.codes) options.metrics.rejected('kafka', code)
        return true
      } catch (error) {
        const failure = asFailure(error)
        const mayPass = failure.retryable || failure.code === 'kafka_refused'
        if (!mayPass || options.stopping.aborted) throw failure
        const { topic, partition } = batch
        options.log.warn({ topic, partition, code: failure.code }, 'relayed records wait for Kafka')
        await pause(pauseMs, undefined, { signal: options.stopping }).catch(() => {})
        if (!batch.context.isStillAssigned()) return false
      }
    }
  } finally {
    published()
  }
}
