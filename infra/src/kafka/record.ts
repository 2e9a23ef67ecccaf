export type KafkaHeaders = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>

/** A record as it lies in the log. `timestampMs` is the broker's append time (LogAppendTime topics). */
export type KafkaRecord = {
  offset: bigint
  key: Buffer | null
  value: Buffer | null
  timestampMs: number
  headers: KafkaHeaders
}

/** A record to send. The partition is always chosen by the sender. */
export type OutboundMessage = {
  partition: number
  key: Buffer | string | null
  value: Buffer
  headers?: Record<string, Buffer | string>
  /** Bytes of key and value together, where making these only to count them would cost. */
  readonly contentBytes?: number
}

/** What kafkajs hands out; offsets and times are decimal strings there. */
type FetchedMessage = {
  offset: string
  key: Buffer | null
  value: Buffer | null
  timestamp: string
  headers?: KafkaHeaders | undefined
}

const noHeaders: KafkaHeaders = {}

export const toRecord = (message: FetchedMessage, offset: bigint): KafkaRecord => ({
  offset,
  key: message.key,
  value: message.value,
  timestampMs: Number(message.timestamp),
  headers: message.headers ?? noHeaders,
})

/** The text of a header, of its first value where it was sent several times; undefined where it is absent. */
export function headerText(headers: KafkaHeaders, name: string): string | undefined {
  const value = headers[name]
  const first = Array.isArray(value) ? value[0] : value
  return typeof first === 'string' ? first : first?.toString('utf8')
}

/** Bytes that a message takes on the wire at most: key, value, headers, and what frames a record (varints, 40 B). */
export function messageBytes(message: OutboundMessage): number {
  let bytes = 40 + (message.contentBytes ?? contentBytes(message))
  for (const name in message.headers) {
    bytes += 10 + Buffer.byteLength(name) + Buffer.byteLength(message.headers[name] ?? '')
  }
  return bytes
}

const contentBytes = ({ key, value }: OutboundMessage): number =>
  value.byteLength + (key === null ? 0 : Buffer.byteLength(key))
