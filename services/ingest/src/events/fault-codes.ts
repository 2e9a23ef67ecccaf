/**
 * Every reason why an event is refused, with its text. Codes are stable: clients decide by them, usage.rejected keeps
 * them, docs/events.md explains them. A code is added, never changed or used for something else.
 */
export const eventFaultTexts = {
  event_not_object: 'An event must be a JSON object.',
  attribute_missing: 'This attribute is required; send it as a string that is not empty.',
  attribute_not_text: 'This attribute must be a JSON string.',
  attribute_empty: 'This attribute must not be empty.',
  attribute_too_long: 'This attribute is too long.',
  attribute_characters:
    'This attribute holds control characters or half of a surrogate pair, which CloudEvents forbids; remove them.',
  specversion_unsupported: 'Only CloudEvents 1.0 is understood; send "specversion": "1.0".',
  time_invalid:
    'This is no RFC 3339 instant with a zone, such as 2026-11-01T12:00:00Z or 2026-11-01T13:00:00.5+01:00.',
  time_too_far_ahead: 'The time lies too far ahead; set the clock of the sender right.',
  time_too_old: 'The time lies too far back.',
  datacontenttype_unsupported:
    'The data must be JSON; leave datacontenttype away or send "application/json".',
  data_base64_unsupported: 'Data in base64 is not understood; send a JSON object as "data".',
  data_not_object: 'The data must be a JSON object.',
  data_too_large: 'The data is too large.',
  data_too_deep: 'The data is nested too deeply.',
  data_schema: 'The data does not fit the schema that a meter of this event type carries.',
  text_malformed: 'This text holds half of a surrogate pair and would not survive as UTF-8; remove it.',
  number_inexact:
    'This number would not keep its value (integers beyond 2^53, more than 15 significant digits, or an exponent out of range); send it as a string.',
  action_invalid:
    'This must be "void" or "correct"; leave it and tidemarkrevision away in an event that corrects no other.',
  revision_invalid:
    'A correction needs a whole number from 1 to 2147483647 here, above those of the corrections before it.',
  tenant_in_body: 'The tenant is known from the API key or the topic; remove this attribute.',
} as const

/** Reasons why a whole record of an inbound topic is refused, besides those of its event. */
export const recordFaultTexts = {
  record_empty: 'The record has no value.',
  record_not_utf8: 'The value is not UTF-8.',
  record_not_json: 'The value is not JSON.',
  record_nested_too_deep: 'The value is nested more deeply than any event may be.',
  record_content_type:
    'A record holds one CloudEvent as JSON: content-type application/cloudevents+json, or none.',
} as const

/** Reasons why HTTP refuses a request as a whole: nothing of it is accepted. */
export const requestFaultTexts = {
  not_utf8: 'The body is not UTF-8.',
  not_json: 'The body is not JSON.',
  nested_too_deep: 'The body is nested more deeply than any event may be.',
  body_shape: 'The body does not hold what its Content-Type says.',
  query_invalid: 'This query parameter is not understood.',
  encoding_corrupt: 'The body does not decompress as its Content-Encoding says, or is cut off.',
  body_incomplete: 'The connection ended before the body did.',
  body_too_slow: 'The body did not arrive in time and nothing is accepted; send fewer events at once.',
  body_too_large: 'The body is too large; send fewer events at once.',
  compression_ratio: 'The body decompresses to far more than was sent; send it less compressed.',
  too_many_events: 'The body holds too many events; send fewer at once.',
  unsupported_media_type:
    'Send Content-Type application/cloudevents+json, application/cloudevents-batch+json or application/json.',
  charset_unsupported: 'Only UTF-8 is read; leave the charset away or send charset=utf-8.',
  encoding_unsupported: 'This Content-Encoding is not read; send gzip or zstd, one of them alone, or none.',
  event_invalid: 'Not every event is valid, so none is accepted.',
  all_events_invalid: 'Not one of the events is valid; each is named with its reason.',
  kafka_unavailable:
    'Kafka did not acknowledge in time and nothing is accepted; send the same request again, what arrived nevertheless is recognised.',
  overloaded: 'Too much is under way and nothing is accepted; send the same request again.',
  stopping: 'This process is going down and nothing is accepted; send the same request again.',
} as const

export type EventFaultCode = keyof typeof eventFaultTexts
export type RecordFaultCode = keyof typeof recordFaultTexts
export type RequestFaultCode = keyof typeof requestFaultTexts

export type EventFault = {
  readonly kind: 'fault'
  readonly code: EventFaultCode
  /** Path with dots, like `data.items.0.size`; empty when the event is none at all. */
  readonly field: string
  readonly message: string
}

/** `detail` says what was found or which limit holds. */
export const eventFault = (code: EventFaultCode, field: string, detail = ''): EventFault => ({
  kind: 'fault',
  code,
  field,
  message: withDetail(eventFaultTexts[code], detail),
})

export const withDetail = (text: string, detail: string): string =>
  detail === '' ? text : `${text} ${detail}`
