import type { AvroDecoder, Unresolved } from '@tidemark/infra/schema-registry/decoder.ts'
import { identityKeyOfBytes, partitionOf } from '@tidemark/schemas/event-identity.ts'
import type { UsageEvent } from '@tidemark/schemas/usage-event.ts'
import { isCorrection } from './deduplication/correction.ts'
import { packed } from './packed-event.ts'

/** What a record's bytes say: a function of nothing but them, so that every attempt reads alike. */
export type Reading =
  | { readonly kind: 'event'; readonly event: UsageEvent; readonly identity: Buffer }
  | { readonly kind: 'malformed'; readonly code: MalformedCode; readonly reason: string }

export type MalformedCode =
  | 'empty_value'
  | 'no_framing'
  | 'undecodable'
  | 'invalid_tenant'
  | 'invalid_time'
  | 'invalid_revision'
  | 'wrong_partition'

export type ReaderOptions = {
  decoder: Pick<AvroDecoder<UsageEvent>, 'decodeSync'>
  /** Partition count of the log; fixed for its life. */
  partitions: number
}

/** Last second that a ClickHouse DateTime can hold, in microseconds: the hour of an event is kept in one. */
const latestMicros = 4_294_967_295 * 1_000_000
const largestTenantNumber = 4_294_967_295

/** Reads one record; `unresolved` where the schema has to be fetched first, which is no fault of the record. */
export function readRecord(
  value: Buffer | null,
  partition: number,
  { decoder, partitions }: ReaderOptions,
): Reading | Unresolved {
  const decoded = decoder.decodeSync(value)
  if (decoded.kind === 'unresolved') return decoded
  if (decoded.kind === 'malformed') return unreadable(decoded.reason)
  const event = packed(decoded.value)
  if (!isWithin(event.tenantNumber, largestTenantNumber))
    return malformed('invalid_tenant', `tenant number ${event.tenantNumber} is outside 0 to 4294967295`)
  if (!isWithin(event.time, latestMicros) || !isWithin(event.acceptedAt, latestMicros))
    return malformed('invalid_time', 'time or acceptedAt is outside 1970 to 2106')
  const lowest = isCorrection(event) ? 1 : 0
  if (event.revision < lowest)
    return malformed('invalid_revision', `revision ${event.revision} is below ${lowest}`)
  const identity = identityKeyOfBytes(
    event.tenantNumber,
    event.bytes,
    event.sourceAt,
    event.sourceEnd,
    event.idAt,
    event.idEnd,
  )
  const expected = partitionOf(identity, partitions)
  // Copies of one event in two partitions would both be billed: deduplication looks at one partition only.
  if (expected !== partition)
    return malformed('wrong_partition', `the identity belongs to partition ${expected}, not ${partition}`)
  return { kind: 'event', event, identity }
}

const isWithin = (value: number, most: number): boolean => value >= 0 && value <= most

const malformed = (code: MalformedCode, reason: string): Reading => ({ kind: 'malformed', code, reason })

function unreadable(reason: string): Reading {
  if (reason === 'empty') return malformed('empty_value', 'the record has no value')
  if (reason === 'magic_byte' || reason === 'too_short')
    return malformed('no_framing', 'the value does not begin with a zero byte and a schema id of four bytes')
  return malformed('undecodable', `the value does not match its schema: ${reason}`)
}
