import type { KafkaRecord } from '@tidemark/infra/kafka/record.ts'
import { expect, test } from 'vitest'
import { defaultRules } from '../events/event-rules.ts'
import { readInboundRecord } from './inbound-record.ts'

const appended = Date.UTC(2026, 10, 21, 12)
const event = { specversion: '1.0', id: '1', source: 's', type: 't', subject: 'u', data: { n: 1 } }

function read(value: unknown, headers: KafkaRecord['headers'] = {}) {
  const bytes = value === null || Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))
  return readInboundRecord(
    { offset: 0n, key: null, value: bytes, timestampMs: appended, headers },
    defaultRules,
  )
}

test('an event may come with its media type, with that of JSON, or without any', () => {
  for (const type of [undefined, 'application/cloudevents+json', 'application/json; charset=utf-8'])
    expect(read(event, type === undefined ? {} : { 'content-type': Buffer.from(type) })).toMatchObject({
      kind: 'event',
      timeMicros: undefined,
      data: '{"n":1}',
    })
})

test('its age is judged by when it was appended, however late the relay comes', () => {
  expect(read({ ...event, time: '2026-11-21T12:04:00Z' })).toMatchObject({ kind: 'event' })
  expect(read({ ...event, time: '2026-11-21T12:06:00Z' })).toMatchObject({ code: 'time_too_far_ahead' })
})

test('binary mode may do without a value', () => {
  const headers = { ce_specversion: '1.0', ce_id: '1', ce_source: 's', ce_type: 't', ce_subject: 'u' }
  expect(read(null, headers)).toMatchObject({ kind: 'event', data: '' })
})

test.each([
  [null, {}, 'record_empty'],
  [Buffer.from('{'), {}, 'record_not_json'],
  [Buffer.from([0x22, 0xff]), {}, 'record_not_utf8'],
  [Buffer.from(`${'['.repeat(2_000)}${']'.repeat(2_000)}`), {}, 'record_nested_too_deep'],
  [event, { 'content-type': 'application/avro' }, 'record_content_type'],
  [[event], { 'content-type': 'application/cloudevents-batch+json' }, 'record_content_type'],
  [event, { 'content-type': 'application/json; charset=utf-16' }, 'record_content_type'],
  [{ ...event, id: '' }, {}, 'attribute_empty'],
])('%j with %j is refused as %s', (value, headers, code) => {
  expect(read(value, headers)).toMatchObject({ kind: 'fault', code })
})
