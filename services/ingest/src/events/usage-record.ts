import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { identityKey, partitionOf, payloadHash } from '@tidemark/schemas/event-identity.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { usagePartitions } from '@tidemark/schemas/topics.ts'
import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'
import type { ValidEvent } from './validate-event.ts'

export type EventOrigin = {
  readonly tenant: string
  readonly tenantNumber: number
  /** When the door, or the inbound topic, took it in; stands for a time that was not sent. */
  readonly acceptedAt: Micros1970
}

/** A record of usage.events: the identity as key, the partition chosen by it, Avro as value. */
export type UsageMessage = OutboundMessage & {
  readonly key: Buffer
  /** Undefined for a correction: it has the identity of what it supersedes, and only the log decides it. */
  readonly payloadHash: Buffer | undefined
}

export type EncodeEvent = (event: ValidEvent, origin: EventOrigin) => UsageMessage

const headerBytes = 5

/** @param schemaId what the registry calls today's schema: each value begins with a zero byte and this id */
export function createEventEncoder(schemaId: number, partitions = usagePartitions): EncodeEvent {
  // An event at its limits (64 KiB of data) fits; encode says so, should the limits grow.
  let scratch = Buffer.alloc(128 * 1024)
  scratch.writeUInt32BE(schemaId, 1)

  const toBytes = (event: UsageEvent): Buffer => {
    const end = usageEventType.encode(event, scratch, headerBytes)
    if (end > 0) return Buffer.from(scratch.subarray(0, end))
    scratch = Buffer.alloc(scratch.length - end)
    scratch.writeUInt32BE(schemaId, 1)
    return toBytes(event)
  }

  return (event, { tenant, tenantNumber, acceptedAt }) => {
    const { id, source, type, subject, timeMicros, data, action, revision } = event
    const key = identityKey(tenantNumber, source, id)
    const record: UsageEvent = {
      tenant,
      tenantNumber,
      id,
      source,
      type,
      subject,
      time: timeMicros ?? acceptedAt,
      acceptedAt,
      data,
      payloadHash: payloadHash(event),
      action,
      revision,
    }
    return {
      partition: partitionOf(key, partitions),
      key,
      value: toBytes(record),
      payloadHash: record.action === 'none' ? record.payloadHash : undefined,
    }
  }
}
