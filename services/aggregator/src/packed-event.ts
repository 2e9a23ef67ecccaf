import { isUtf8 } from 'node:buffer'
import type { AvroReader } from '@tidemark/infra/schema-registry/decoder.ts'
import type { parseAvroSchema } from '@tidemark/schemas/avro-schema.ts'
import { type UsageEvent, usageEventType } from '@tidemark/schemas/usage-event.ts'

export type EventText = 'tenant' | 'id' | 'source' | 'type' | 'subject' | 'data'

/**
 * A usage event as its Avro bytes, and where in them its fields lie. Nearly all that becomes of an event is written from
 * its bytes to other bytes; text is made only where somebody asks for it, and a batch of events is few objects.
 */
export class PackedEvent implements UsageEvent {
  readonly bytes: Buffer
  tenantNumber = 0
  time = 0
  acceptedAt = 0
  action: UsageEvent['action'] = 'none'
  revision = 0
  hashAt = 0
  tenantAt = 0
  tenantEnd = 0
  idAt = 0
  idEnd = 0
  sourceAt = 0
  sourceEnd = 0
  typeAt = 0
  typeEnd = 0
  subjectAt = 0
  subjectEnd = 0
  dataAt = 0
  dataEnd = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get tenant(): string {
    return this.bytes.toString('utf8', this.tenantAt, this.tenantEnd)
  }

  get id(): string {
    return this.bytes.toString('utf8', this.idAt, this.idEnd)
  }

  get source(): string {
    return this.bytes.toString('utf8', this.sourceAt, this.sourceEnd)
  }

  get type(): string {
    return this.bytes.toString('utf8', this.typeAt, this.typeEnd)
  }

  get subject(): string {
    return this.bytes.toString('utf8', this.subjectAt, this.subjectEnd)
  }

  get data(): string {
    return this.bytes.toString('utf8', this.dataAt, this.dataEnd)
  }

  get payloadHash(): Buffer {
    return this.bytes.subarray(this.hashAt, this.hashAt + hashBytes)
  }
}

/** The event as its bytes, whoever read or made it. */
export const packed = (event: UsageEvent): PackedEvent =>
  event instanceof PackedEvent ? event : repacked(event)

type Type = ReturnType<typeof parseAvroSchema>
type Resolver = ReturnType<Type['createResolver']>
/** How records of one writer's schema are read; `isToday` where it lays fields out as today's does. */
type Layout = { readonly isToday: boolean; readonly resolver: Resolver }

/**
 * Reads what avsc reads, and alike: whatever is not laid out plainly (another schema, bytes that match none, text that is
 * no UTF-8) goes through avsc and is packed again, so that this file decides nothing of its own.
 */
export const packedEventReader: AvroReader<UsageEvent, Type, Layout> = {
  createResolver: (writer) => ({
    isToday: writer.fingerprint().equals(usageEventType.fingerprint()),
    resolver: usageEventType.createResolver(writer),
  }),
  fromBuffer(bytes, layout) {
    const event = layout?.isToday === true ? unpack(bytes, 0) : undefined
    return event ?? repacked(usageEventType.fromBuffer(bytes, layout?.resolver))
  },
  readFrom(bytes, start, layout) {
    const event = layout.isToday ? unpack(bytes, start) : undefined
    return event ?? repacked(usageEventType.fromBuffer(bytes.subarray(start), layout.resolver))
  },
}

const hashBytes = 16
/** Beyond it avsc reads no long. */
const largestLong = Number.MAX_SAFE_INTEGER - 1
const actions = ['none', 'void', 'correct'] as const
function repacked(event: UsageEvent): PackedEvent {
  const again = unpack(usageEventType.toBuffer(event), 0)
  if (again === undefined) throw new RangeError('an event that was just encoded cannot be read')
  return again
}

// The cursor of the one record that is being read.
let bytes: Buffer
let at = 0
let isPlain = true
let textAt = 0

function unpack(value: Buffer, start: number): PackedEvent | undefined {
  bytes = value
  at = start
  isPlain = true
  const event = new PackedEvent(value)
  event.tenantEnd = passText()
  event.tenantAt = textAt
  event.tenantNumber = readNumber()
  event.idEnd = passText()
  event.idAt = textAt
  event.sourceEnd = passText()
  event.sourceAt = textAt
  event.typeEnd = passText()
  event.typeAt = textAt
  event.subjectEnd = passText()
  event.subjectAt = textAt
  event.time = readNumber()
  event.acceptedAt = readNumber()
  event.dataEnd = passText()
  event.dataAt = textAt
  event.hashAt = at
  at += hashBytes
  const action = actions[readNumber()]
  event.revision = readNumber()
  if (!isPlain || action === undefined || at !== value.length) return undefined
  event.action = action
  return event
}

/** Zigzag in LEB128: the sign is the lowest bit, so the number is read in two parts that a shift can halve. */
function readNumber(): number {
  let low = 0
  let high = 0
  for (let shift = 0; shift < 56; shift += 7) {
    const byte = bytes[at]
    if (byte === undefined) break
    at += 1
    if (shift < 28) low |= (byte & 127) << shift
    else high += (byte & 127) * 2 ** (shift - 28)
    if (byte > 127) continue
    const half = high * 134_217_728 + (low >>> 1)
    const value = (low & 1) === 0 ? half : -half - 1
    if (Math.abs(value) > largestLong) break
    return value
  }
  isPlain = false
  return 0
}

/** Its end; where it begins is in `textAt`. */
function passText(): number {
  const length = readNumber()
  textAt = at
  const end = at + length
  if (length < 0 || end > bytes.length) {
    isPlain = false
    return at
  }
  let seen = 0
  for (let each = at; each < end; each += 1) seen |= bytes[each] ?? 0
  // Bytes that are no UTF-8 are text for avsc all the same, with other characters in their place.
  if (seen > 127 && !isUtf8(bytes.subarray(at, end))) isPlain = false
  at = end
  return end
}
