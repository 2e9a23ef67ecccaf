import { headerText, type KafkaRecord, type OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { frame } from '@tidemark/infra/schema-registry/framing.ts'
import { hash128 } from '@tidemark/schemas/hash.ts'
import { topics, usageRejectedTopic } from '@tidemark/schemas/topics.ts'
import { rejectedEventType } from '@tidemark/schemas/usage-event.ts'
import type { RecordFault } from './inbound-record.ts'

export type RecordOrigin = { readonly tenant: string; readonly topic: string; readonly partition: number }

const partitions = topics.find(({ name }) => name === usageRejectedTopic)?.partitions ?? 1

/** A record that was just small enough for its topic would be too large with its reason: it must not stop the relay. */
const mostOriginalBytes = 512 * 1024

/** An attribute beyond this is refused all the same when it is cut. */
const mostHeaderBytes = 4 * 1024
const mostHeaders = 32

/** In binary mode the event's attributes are headers: without them it could not be replayed. */
function attributeHeaders(record: KafkaRecord): Record<string, Buffer> {
  const names = Object.keys(record.headers).filter((name) => name.startsWith('ce_') && name.length <= 64)
  return Object.fromEntries(
    names.slice(0, mostHeaders).map((name) => {
      const bytes = Buffer.from(headerText(record.headers, name) ?? '')
      return [name, bytes.subarray(0, mostHeaderBytes)]
    }),
  )
}

/** What becomes of a refused record: its bytes, its reason and where it lies, so that it can be mended and replayed. */
export function encodeRejected(
  record: KafkaRecord,
  fault: RecordFault,
  origin: RecordOrigin,
  schemaId: number,
): OutboundMessage {
  const bytes = record.value ?? Buffer.alloc(0)
  const cut = bytes.length > mostOriginalBytes
  const value = rejectedEventType.toBuffer({
    tenant: origin.tenant,
    code: fault.code,
    reason: cut
      ? `${fault.message} (${bytes.length} bytes, of which the first are kept here)`
      : fault.message,
    original: cut ? bytes.subarray(0, mostOriginalBytes) : bytes,
    contentType: headerText(record.headers, 'content-type') ?? '',
    originTopic: origin.topic,
    originPartition: origin.partition,
    originOffset: Number(record.offset),
    originTime: record.timestampMs,
  })
  const partition = hash128(Buffer.from(origin.tenant)).readUInt32BE(0) % partitions
  return { partition, key: origin.tenant, value: frame(schemaId, value), headers: attributeHeaders(record) }
}
