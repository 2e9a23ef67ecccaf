import { headerText, type KafkaRecord } from '@tidemark/infra/kafka/record.ts'
import type { Json } from '@tidemark/schemas/canonical-json.ts'
import type { DataCheck } from '../event-schemas/event-schemas.ts'
import { binaryModeEvent } from '../events/binary-mode.ts'
import { readContentType } from '../events/content-type.ts'
import type { EventRules } from '../events/event-rules.ts'
import { type RecordFaultCode, recordFaultTexts, withDetail } from '../events/fault-codes.ts'
import { readJson } from '../events/json-body.ts'
import { judgeEvent } from '../events/judge-event.ts'
import type { ValidEvent } from '../events/validate-event.ts'

export type RecordFault = { readonly kind: 'fault'; readonly code: string; readonly message: string }

const recordFault = (code: RecordFaultCode, detail = ''): RecordFault => ({
  kind: 'fault',
  code,
  message: withDetail(recordFaultTexts[code], detail),
})

const jsonFaults = {
  not_utf8: 'record_not_utf8',
  not_json: 'record_not_json',
  nested_too_deep: 'record_nested_too_deep',
} as const

/**
 * The CloudEvent in a record of an inbound topic: structured mode (content-type application/cloudevents+json, or plain
 * JSON), or binary mode (a ce_specversion header). Its age is judged by the record's append time and not by the relay's
 * clock, so that a relay that was away for a day, or one that repeats, decides alike.
 */
export function readInboundRecord(
  record: KafkaRecord,
  rules: EventRules,
  checkData?: DataCheck,
): ValidEvent | RecordFault {
  const value = readValue(record)
  if (value.kind === 'fault') return value
  const event = judgeEvent(value.json, rules, record.timestampMs * 1000, checkData)
  if (event.kind === 'event') return event
  const where = event.field === '' ? '' : `${event.field}: `
  return { kind: 'fault', code: event.code, message: `${where}${event.message}` }
}

function readValue({ value, headers }: KafkaRecord): { kind: 'json'; json: Json } | RecordFault {
  const isBinary = headerText(headers, 'ce_specversion') !== undefined
  const header = headerText(headers, 'content-type')
  if (header !== undefined) {
    const contentType = readContentType(header)
    if (contentType.kind !== 'form' || contentType.form === 'batch')
      return recordFault('record_content_type', `Found ${header.slice(0, 100).toWellFormed()}.`)
  }
  const attributes = (data: Json | undefined) =>
    binaryModeEvent((attribute) => headerText(headers, `ce_${attribute}`), data)
  if (value === null || value.length === 0)
    return isBinary ? { kind: 'json', json: attributes(undefined) } : recordFault('record_empty')
  const body = readJson(value)
  if (body.kind !== 'json') return recordFault(jsonFaults[body.kind], body.where)
  const isStructured = header?.toLowerCase().startsWith('application/cloudevents') === true
  return { kind: 'json', json: isBinary && !isStructured ? attributes(body.value) : body.value }
}
