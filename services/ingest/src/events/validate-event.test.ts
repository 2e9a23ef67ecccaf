import type { Json } from '@tidemark/schemas/canonical-json.ts'
import { describe, expect, test } from 'vitest'
import { defaultRules } from './event-rules.ts'
import { readJson } from './json-body.ts'
import { validateEvent } from './validate-event.ts'

const now = Date.UTC(2026, 10, 21, 12) * 1000
const minute = 60_000_000
const day = 86_400_000_000
const instant = (micros: number): string => new Date(micros / 1000).toISOString()

const sound: { [name: string]: Json } = {
  specversion: '1.0',
  id: 'e-1',
  source: '/products/api',
  type: 'api.request',
  subject: 'customer-1',
  time: '2026-11-21T12:00:00Z',
  data: { tokens: 12 },
}

const nested = (levels: number): Json => (levels === 0 ? 1 : { a: nested(levels - 1) })

test('an event becomes its attributes, its instant and the one text of its data', () => {
  expect(validateEvent(sound, defaultRules, now)).toEqual({
    kind: 'event',
    id: 'e-1',
    source: '/products/api',
    type: 'api.request',
    subject: 'customer-1',
    timeMicros: now,
    data: '{"tokens":12}',
    action: 'none',
    revision: 0,
  })
})

const without = (name: string): { [name: string]: Json } =>
  Object.fromEntries(Object.entries(sound).filter(([key]) => key !== name))
const half = '\ud800'
const correcting = (change: { [name: string]: Json }): Json => ({
  ...sound,
  tidemarkaction: 'correct',
  tidemarkrevision: 1,
  ...change,
})
const voiding = {
  specversion: '1.0',
  id: 'e-1',
  source: '/products/api',
  tidemarkaction: 'void',
  tidemarkrevision: 1,
}

test.each<[string, Json, string, string]>([
  ['null', null, 'event_not_object', ''],
  ['a number', 7, 'event_not_object', ''],
  ['text', 'event', 'event_not_object', ''],
  ['an array', [sound], 'event_not_object', ''],
  ['no specversion', without('specversion'), 'attribute_missing', 'specversion'],
  ['specversion 0.3', { ...sound, specversion: '0.3' }, 'specversion_unsupported', 'specversion'],
  ['specversion as a number', { ...sound, specversion: 1 }, 'specversion_unsupported', 'specversion'],
  ['no id', without('id'), 'attribute_missing', 'id'],
  ['id null', { ...sound, id: null }, 'attribute_missing', 'id'],
  ['id as a number', { ...sound, id: 1 }, 'attribute_not_text', 'id'],
  ['id as an object', { ...sound, id: {} }, 'attribute_not_text', 'id'],
  ['id empty', { ...sound, id: '' }, 'attribute_empty', 'id'],
  ['id of 257 bytes', { ...sound, id: 'i'.repeat(257) }, 'attribute_too_long', 'id'],
  ['id of 129 two-byte letters', { ...sound, id: 'ä'.repeat(129) }, 'attribute_too_long', 'id'],
  ['id with NUL', { ...sound, id: 'a\u0000b' }, 'attribute_characters', 'id'],
  ['id with half a surrogate pair', { ...sound, id: half }, 'attribute_characters', 'id'],
  ['no source', without('source'), 'attribute_missing', 'source'],
  ['source empty', { ...sound, source: '' }, 'attribute_empty', 'source'],
  ['source of 300 bytes', { ...sound, source: 's'.repeat(300) }, 'attribute_too_long', 'source'],
  ['no type', without('type'), 'attribute_missing', 'type'],
  ['type false', { ...sound, type: false }, 'attribute_not_text', 'type'],
  ['type of 129 bytes', { ...sound, type: 't'.repeat(129) }, 'attribute_too_long', 'type'],
  ['no subject', without('subject'), 'attribute_missing', 'subject'],
  ['subject with a line break', { ...sound, subject: 'a\nb' }, 'attribute_characters', 'subject'],
  ['subject as an array', { ...sound, subject: ['a'] }, 'attribute_not_text', 'subject'],
  ['time as a number', { ...sound, time: 1_763_726_400 }, 'attribute_not_text', 'time'],
  ['time without zone', { ...sound, time: '2026-11-21T12:00:00' }, 'time_invalid', 'time'],
  ['time without seconds', { ...sound, time: '2026-11-21T12:00Z' }, 'time_invalid', 'time'],
  ['30 February', { ...sound, time: '2026-02-30T12:00:00Z' }, 'time_invalid', 'time'],
  ['hour 25', { ...sound, time: '2026-11-20T25:00:00Z' }, 'time_invalid', 'time'],
  ['time empty', { ...sound, time: '' }, 'time_invalid', 'time'],
  ['6 minutes ahead', { ...sound, time: instant(now + 6 * minute) }, 'time_too_far_ahead', 'time'],
  ['the year 9999', { ...sound, time: '9999-12-31T23:59:59Z' }, 'time_too_far_ahead', 'time'],
  ['401 days back', { ...sound, time: instant(now - 401 * day) }, 'time_too_old', 'time'],
  ['the year 1000', { ...sound, time: '1000-01-01T00:00:00Z' }, 'time_too_old', 'time'],
  // JavaScript's dates take it for 1901.
  ['the year 0001', { ...sound, time: '0001-01-01T00:00:00Z' }, 'time_too_old', 'time'],
  ['no day of the year 0001', { ...sound, time: '0001-02-29T00:00:00Z' }, 'time_invalid', 'time'],
  ['data as text', { ...sound, data: '{}' }, 'data_not_object', 'data'],
  ['data as an array', { ...sound, data: [1] }, 'data_not_object', 'data'],
  ['data as a number', { ...sound, data: 1 }, 'data_not_object', 'data'],
  ['data of 64 KiB and a byte', { ...sound, data: { a: 'x'.repeat(65_529) } }, 'data_too_large', 'data'],
  ['data 9 levels deep', { ...sound, data: nested(9) }, 'data_too_deep', 'data.a.a.a.a.a.a.a.a'],
  ['data 100 levels deep', { ...sound, data: nested(100) }, 'data_too_deep', 'data.a.a.a.a.a.a.a.a'],
  ['half a surrogate pair in data', { ...sound, data: { a: [`x${half}`] } }, 'text_malformed', 'data.a.0'],
  ['half a surrogate pair in a name', { ...sound, data: { [half]: 1 } }, 'text_malformed', 'data.\ufffd'],
  ['data_base64', { ...without('data'), data_base64: 'AQ==' }, 'data_base64_unsupported', 'data_base64'],
  ['XML', { ...sound, datacontenttype: 'text/xml' }, 'datacontenttype_unsupported', 'datacontenttype'],
  ['a tenant', { ...sound, tenant: 'acme' }, 'tenant_in_body', 'tenant'],
  ['another action', { ...sound, tidemarkaction: 'delete' }, 'action_invalid', 'tidemarkaction'],
  ['an action by number', { ...sound, tidemarkaction: 1 }, 'action_invalid', 'tidemarkaction'],
  ['a revision alone', { ...sound, tidemarkrevision: 1 }, 'action_invalid', 'tidemarkaction'],
  ['no revision', { ...sound, tidemarkaction: 'correct' }, 'revision_invalid', 'tidemarkrevision'],
  ['revision 0', correcting({ tidemarkrevision: 0 }), 'revision_invalid', 'tidemarkrevision'],
  ['revision 1.5', correcting({ tidemarkrevision: 1.5 }), 'revision_invalid', 'tidemarkrevision'],
  ['revision 2^31', correcting({ tidemarkrevision: 2_147_483_648 }), 'revision_invalid', 'tidemarkrevision'],
  ['revision as words', correcting({ tidemarkrevision: 'two' }), 'revision_invalid', 'tidemarkrevision'],
  ['revision -1 as text', correcting({ tidemarkrevision: '-1' }), 'revision_invalid', 'tidemarkrevision'],
  ['a correction without time', correcting({ time: null }), 'attribute_missing', 'time'],
  ['a correction without type', correcting({ type: null }), 'attribute_missing', 'type'],
  ['a correction without subject', correcting({ subject: null }), 'attribute_missing', 'subject'],
  ['a void without id', { ...voiding, id: null }, 'attribute_missing', 'id'],
])('%s is refused by name', (_name, event, code, field) => {
  const found = validateEvent(event, defaultRules, now)
  expect(found).toMatchObject({ kind: 'fault', code, field })
  expect(found).toHaveProperty('message', expect.stringMatching(/\.$/))
})

test.each<[string, Json]>([
  ['no time', without('time')],
  ['time null', { ...sound, time: null }],
  ['no data', without('data')],
  ['data null', { ...sound, data: null }],
  ['data of exactly 64 KiB', { ...sound, data: { a: 'x'.repeat(65_528) } }],
  ['data 8 levels deep', { ...sound, data: nested(8) }],
  ['5 minutes ahead', { ...sound, time: instant(now + 5 * minute) }],
  ['400 days back', { ...sound, time: instant(now - 400 * day) }],
  ['limits in full', { ...sound, id: 'ä'.repeat(128), type: 't'.repeat(128) }],
  ['JSON by another name', { ...sound, datacontenttype: 'application/vnd.usage+json; charset=utf-8' }],
  ['extensions that nobody knows', { ...sound, traceparent: '00-…', depth: nested(50) }],
])('%s is taken', (_name, event) => {
  expect(validateEvent(event, defaultRules, now)).toMatchObject({ kind: 'event' })
})

test('a correction carries the whole new event, a void only what it takes back', () => {
  expect(validateEvent(correcting({ tidemarkrevision: '2147483647' }), defaultRules, now)).toMatchObject({
    type: 'api.request',
    timeMicros: now,
    data: '{"tokens":12}',
    action: 'correct',
    revision: 2_147_483_647,
  })
  const nothing = { type: '', subject: '', timeMicros: undefined, data: '', action: 'void', revision: 1 }
  for (const event of [voiding, { ...sound, ...voiding }, { ...voiding, type: 7, time: 'whenever' }])
    expect(validateEvent(event, defaultRules, now)).toEqual({
      kind: 'event',
      id: 'e-1',
      source: '/products/api',
      ...nothing,
    })
})

describe('names that JavaScript gives a meaning of their own', () => {
  const read = (text: string): Json => {
    const body = readJson(Buffer.from(text))
    if (body.kind !== 'json') throw new Error(body.where)
    return body.value
  }
  const envelope = '"specversion":"1.0","id":"1","source":"s","type":"t","subject":"u"'

  test.each(['', ',"n":1e3'])('stay plain names in data%s', (number) => {
    const event = read(`{${envelope},"data":{"__proto__":{"a":1},"constructor":{"prototype":2}${number}}}`)
    const text = number === '' ? '' : ',"n":1000'
    expect(validateEvent(event, defaultRules, now)).toMatchObject({
      data: `{"__proto__":{"a":1},"constructor":{"prototype":2}${text}}`,
    })
    expect(Object.prototype).not.toHaveProperty('a')
  })

  test('give an event no attributes that it does not have', () => {
    const event = read(`{"__proto__":{${envelope}},"data":{}}`)
    expect(validateEvent(event, defaultRules, now)).toMatchObject({ code: 'attribute_missing' })
  })
})
