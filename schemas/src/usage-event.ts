import avro from 'avsc'
import rejectedEventSchema from './avro/rejected-event.avsc.json' with { type: 'json' }
import usageEventSchema from './avro/usage-event.avsc.json' with { type: 'json' }

/** The value of a record on usage.events, inside Confluent framing. Times are microseconds since 1970. */
export type UsageEvent = {
  tenant: string
  tenantNumber: number
  id: string
  source: string
  type: string
  subject: string
  time: number
  acceptedAt: number
  data: string
  payloadHash: Buffer
  action: 'none' | 'void' | 'correct'
  revision: number
}

/** The value of a record on usage.rejected. */
export type RejectedEvent = {
  tenant: string
  code: string
  reason: string
  original: Buffer
  contentType: string
  originTopic: string
  originPartition: number
  originOffset: number
  /** Milliseconds since 1970. */
  originTime: number
}

// Without registered logical types avsc reads both timestamps as plain longs, which are exact up to 2^53.
export const usageEventType = avro.Type.forSchema(usageEventSchema as avro.Schema)
export const rejectedEventType = avro.Type.forSchema(rejectedEventSchema as avro.Schema)

/** Limits of an event, see docs/events.md. Sizes are bytes of UTF-8. */
export const eventLimits = {
  idBytes: 256,
  sourceBytes: 256,
  subjectBytes: 256,
  typeBytes: 128,
  dataBytes: 64 * 1024,
  dataDepth: 8,
  futureMs: 5 * 60_000,
  pastMs: 400 * 86_400_000,
  quantityIntegerDigits: 29,
  quantityDecimals: 9,
} as const
