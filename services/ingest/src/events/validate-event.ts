import { isRecord } from '@tidemark/infra/process/record.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import { eventLimits } from '@tidemark/schemas/usage-event.ts'
import { dataContentTypeFault, readText, readTime } from './event-attributes.ts'
import { type EventAction, readAction } from './event-correction.ts'
import { readData } from './event-data.ts'
import type { EventRules } from './event-rules.ts'
import { InexactNumber } from './exact-number.ts'
import { type EventFault, eventFault } from './fault-codes.ts'

/** Of a void type, subject, time and data are empty: it says only what it takes back. */
export type ValidEvent = EventAction & {
  readonly kind: 'event'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  /** Undefined when none was sent. */
  readonly timeMicros: Micros1970 | undefined
  /** Canonical JSON; empty when none was sent. */
  readonly data: string
}

const { idBytes, sourceBytes, subjectBytes, typeBytes } = eventLimits

/**
 * One CloudEvent in the JSON format, or the first reason why it is refused. Attributes that nobody here knows are
 * CloudEvents extensions: allowed, not kept. `nowMicros` is when it arrived; the same arguments give the same answer.
 */
export function validateEvent(
  value: Json,
  rules: EventRules,
  nowMicros: Micros1970,
): ValidEvent | EventFault {
  if (!isRecord(value) || value instanceof InexactNumber) return eventFault('event_not_object', '')
  const fault = specVersionFault(value.specversion) ?? unsupportedFault(value)
  if (fault) return fault
  const id = readText('id', value.id, idBytes)
  if (typeof id === 'object') return id
  const source = readText('source', value.source, sourceBytes)
  if (typeof source === 'object') return source
  const does = readAction(value)
  if ('kind' in does) return does
  if (does.action === 'void') return { kind: 'event', id, source, ...does, ...nothing }
  const type = readText('type', value.type, typeBytes)
  if (typeof type === 'object') return type
  const subject = readText('subject', value.subject, subjectBytes)
  if (typeof subject === 'object') return subject
  const timeMicros = readTime(value.time, rules, nowMicros)
  if (typeof timeMicros === 'object') return timeMicros
  // The instant of its arrival would move the usage to the day of the correction.
  if (does.action === 'correct' && timeMicros === undefined) return eventFault('attribute_missing', 'time')
  const data = readData(value.data)
  if (typeof data === 'object') return data
  return { kind: 'event', id, source, ...does, type, subject, timeMicros, data }
}

const nothing = { type: '', subject: '', timeMicros: undefined, data: '' }

function specVersionFault(value: Json | undefined): EventFault | undefined {
  if (value === '1.0') return undefined
  return eventFault(
    value === undefined || value === null ? 'attribute_missing' : 'specversion_unsupported',
    'specversion',
  )
}

function unsupportedFault(event: { readonly [name: string]: Json | undefined }): EventFault | undefined {
  if (isSent(event.tenant)) return eventFault('tenant_in_body', 'tenant')
  if (isSent(event.data_base64)) return eventFault('data_base64_unsupported', 'data_base64')
  return dataContentTypeFault(event.datacontenttype)
}

const isSent = (value: Json | undefined): boolean => value !== undefined && value !== null
