import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import {
  identityKeyBytes,
  partitionOf,
  payloadHashBytes,
  writeIdentityKey,
  writePayloadHash,
} from '@tidemark/schemas/event-identity.ts'
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
const hashAt = identityKeyBytes
const valueAt = hashAt + payloadHashBytes
const bodyAt = valueAt + headerBytes
/** Some hundred events; the bytes of one that waits for Kafka keep those of its neighbours, which wait as well. */
const slabBytes = 65_536

/**
 * An event's bytes in a piece that it shares with others. Buffers of its own for key, hash and value would be four times the
 * memory for each event that waits, and three more objects for the garbage collector: they are made when they are asked for.
 */
class PackedMessage {
  readonly partition: number
  readonly #slab: Buffer
  readonly #from: number
  readonly #end: number
  readonly #isCorrection: boolean

  constructor(slab: Buffer, from: number, end: number, partition: number, isCorrection: boolean) {
    this.partition = partition
    this.#slab = slab
    this.#from = from
    this.#end = end
    this.#isCorrection = isCorrection
  }

  get key(): Buffer {
    return this.#slab.subarray(this.#from, this.#from + hashAt)
  }

  get value(): Buffer {
    return this.#slab.subarray(this.#from + valueAt, this.#end)
  }

  get payloadHash(): Buffer | undefined {
    return this.#isCorrection ? undefined : this.#slab.subarray(this.#from + hashAt, this.#from + valueAt)
  }

  get contentBytes(): number {
    return this.#end - this.#from - payloadHashBytes
  }
}

/** @param schemaId what the registry calls today's schema: each value begins with a zero byte and this id */
export function createEventEncoder(schemaId: number, partitions = usagePartitions): EncodeEvent {
  let slab = Buffer.allocUnsafeSlow(slabBytes)
  let used = 0

  /** Where the event begins; a new slab where the rest of today's is too small for it. */
  const write = (event: ValidEvent, { tenant, tenantNumber, acceptedAt }: EventOrigin): number => {
    const { id, source, type, subject, timeMicros, data, action, revision } = event
    if (slab.length - used < bodyAt) startSlab(slabBytes)
    const from = used
    writeIdentityKey({ tenantNumber, source, id }, slab, from)
    writePayloadHash(event, slab, from + hashAt)
    slab[from + valueAt] = 0
    slab.writeUInt32BE(schemaId, from + valueAt + 1)
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
      payloadHash: slab.subarray(from + hashAt, from + valueAt),
      action,
      revision,
    }
    const end = usageEventType.encode(record, slab, from + bodyAt)
    if (end > 0) {
      used = end
      return from
    }
    // Negative by so many bytes as were missing.
    startSlab(Math.max(slabBytes, slab.length - from - end))
    return write(event, { tenant, tenantNumber, acceptedAt })
  }

  const startSlab = (bytes: number): void => {
    slab = Buffer.allocUnsafeSlow(bytes)
    used = 0
  }

  return (event, origin) => {
    const from = write(event, origin)
    const partition = partitionOf(slab, partitions, from)
    return new PackedMessage(slab, from, used, partition, event.action !== 'none')
  }
}
