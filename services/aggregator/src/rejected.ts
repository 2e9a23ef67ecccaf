import type { KafkaRecord, OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { hash128 } from '@tidemark/schemas/hash.ts'
import { rejectedEventType } from '@tidemark/schemas/usage-event.ts'
import type { Decision } from './deduplication/decide.ts'

export type RejectedOrigin = { topic: string; partition: number; rejectedPartitions: number }

// A record that was just small enough for the log would be too large with its reason: it must not stop the partition.
const mostOriginalBytes = 512 * 1024

/** Whether its bytes are kept in part only. */
export const isOversize = ({ value }: KafkaRecord): boolean => (value?.length ?? 0) > mostOriginalBytes

/** Messages for usage.rejected, not yet framed: what was rejected, why, its bytes and where they came from. */
export function encodeRejected(
  records: readonly KafkaRecord[],
  decisions: readonly Decision[],
  origin: RejectedOrigin,
): OutboundMessage[] {
  const messages: OutboundMessage[] = []
  decisions.forEach(({ rejection, record }, index) => {
    const source = records[index]
    if (rejection === undefined || source === undefined) return
    const tenant = record.reading.kind === 'event' ? record.reading.event.tenant : ''
    const bytes = source.value ?? Buffer.alloc(0)
    const cut = isOversize(source)
    const value = rejectedEventType.toBuffer({
      tenant,
      code: rejection.code,
      reason: cut
        ? `${rejection.reason} (${bytes.length} bytes, of which the first are kept here)`
        : rejection.reason,
      original: cut ? bytes.subarray(0, mostOriginalBytes) : bytes,
      contentType: 'avro/binary',
      originTopic: origin.topic,
      originPartition: origin.partition,
      originOffset: Number(record.offset),
      originTime: source.timestampMs,
    })
    const partition = hash128(Buffer.from(tenant)).readUInt32BE(0) % origin.rejectedPartitions
    messages.push({ partition, key: tenant, value })
  })
  return messages
}
