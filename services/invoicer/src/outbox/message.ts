import type { OutboundMessage } from '@tidemark/infra/kafka/record.ts'
import { hash128 } from '@tidemark/schemas/hash.ts'

/** A row of billing.outbox: a CloudEvent in structured mode, made and given its id by who changed the state. */
export type OutboxRow = { id: bigint; key: string; event: unknown }

/** The same for every process and version: an order per key holds only as long as its partition stays. */
export const partitionOfKey = (key: string, partitions: number): number =>
  hash128(Buffer.from(key)).readUIntBE(10, 6) % partitions

/** What is kept as jsonb reads back in one order of fields, so a repeated record has the same bytes. */
export const outboxMessage = ({ key, event }: OutboxRow, partitions: number): OutboundMessage => ({
  key,
  partition: partitionOfKey(key, partitions),
  value: Buffer.from(JSON.stringify(event)),
  headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
})
