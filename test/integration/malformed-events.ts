/**
 * One event each that is wrong in one way, as text, because JSON.stringify cannot write most of them. `id` is a JSON
 * string, so that each is one that nobody has sent.
 */
export type MalformedEvent = {
  way: string
  text(id: string): string
  code: string
  field: string
}

/** A sound event with members added behind it: of two equal keys the last one counts. */
const withMembers = (id: string, members: string): string =>
  `{"specversion":"1.0","id":${id},"source":"/test","type":"api.request","subject":"customer-1",${members}}`

const way = (name: string, members: string, code: string, field: string): MalformedEvent => ({
  way: name,
  text: (id) => withMembers(id, members),
  code,
  field,
})

const nested = (levels: number): string => '{"a":'.repeat(levels) + 0 + '}'.repeat(levels)
const inData = (value: string): string => `"data":{"count":${value}}`
const daysFromNow = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()

export const malformedEvents: readonly MalformedEvent[] = [
  { way: 'null', text: () => 'null', code: 'event_not_object', field: '' },
  { way: 'a number', text: () => '12345678901234567890', code: 'event_not_object', field: '' },
  { way: 'text', text: (id) => id, code: 'event_not_object', field: '' },
  { way: 'an array', text: (id) => `[${withMembers(id, '"data":{}')}]`, code: 'event_not_object', field: '' },
  { way: 'an empty object', text: () => '{}', code: 'attribute_missing', field: 'specversion' },
  {
    way: 'attributes in __proto__ alone',
    text: (id) => `{"__proto__":${withMembers(id, '"data":{}')}}`,
    code: 'attribute_missing',
    field: 'specversion',
  },
  way('specversion of a draft', '"specversion":"0.3"', 'specversion_unsupported', 'specversion'),
  way('specversion as a number', '"specversion":1.0', 'specversion_unsupported', 'specversion'),
  way('id null', '"id":null', 'attribute_missing', 'id'),
  way('id as a number, the second of two', '"id":7', 'attribute_not_text', 'id'),
  way('id empty', '"id":""', 'attribute_empty', 'id'),
  way('id of 257 bytes', `"id":"${'i'.repeat(257)}"`, 'attribute_too_long', 'id'),
  way('id with NUL', '"id":"a\\u0000b"', 'attribute_characters', 'id'),
  way('source as an object', '"source":{}', 'attribute_not_text', 'source'),
  way('source of 86 three-byte letters', `"source":"${'€'.repeat(86)}"`, 'attribute_too_long', 'source'),
  way('type false', '"type":false', 'attribute_not_text', 'type'),
  way('type of 129 bytes', `"type":"${'t'.repeat(129)}"`, 'attribute_too_long', 'type'),
  way('subject as an array', '"subject":["customer-1"]', 'attribute_not_text', 'subject'),
  way('subject with half a surrogate pair', '"subject":"\\ud800"', 'attribute_characters', 'subject'),
  way('subject with a line break', '"subject":"a\\nb"', 'attribute_characters', 'subject'),
  way('time without zone', '"time":"2026-11-21T12:00:00"', 'time_invalid', 'time'),
  way('time without T', '"time":"2026-11-21 12:00:00Z"', 'time_invalid', 'time'),
  way('30 February', '"time":"2026-02-30T12:00:00Z"', 'time_invalid', 'time'),
  way('time empty', '"time":""', 'time_invalid', 'time'),
  way('time in seconds', '"time":1763726400', 'attribute_not_text', 'time'),
  way('tomorrow', `"time":"${daysFromNow(1)}"`, 'time_too_far_ahead', 'time'),
  way('two years ago', `"time":"${daysFromNow(-730)}"`, 'time_too_old', 'time'),
  way('the year 0001', '"time":"0001-01-01T00:00:00Z"', 'time_too_old', 'time'),
  way('data as text', '"data":"{}"', 'data_not_object', 'data'),
  way('data as an array', '"data":[{"count":1}]', 'data_not_object', 'data'),
  way('data as a number', '"data":1e400', 'data_not_object', 'data'),
  way('data of 65 KiB', `"data":{"note":"${'x'.repeat(66_560)}"}`, 'data_too_large', 'data'),
  way('data 9 levels deep', `"data":${nested(9)}`, 'data_too_deep', 'data.a.a.a.a.a.a.a.a'),
  way('data 100 levels deep', `"data":${nested(100)}`, 'data_too_deep', 'data.a.a.a.a.a.a.a.a'),
  way('half a surrogate pair in data', '"data":{"a":["x\\udfff"]}', 'text_malformed', 'data.a.0'),
  way('an integer above 2^53', inData('9007199254740993'), 'number_inexact', 'data.count'),
  way('a number of 30 digits', inData('123456789012345678901234567890'), 'number_inexact', 'data.count'),
  way('a number beyond all doubles', inData('1e999'), 'number_inexact', 'data.count'),
  way('a number below all doubles', inData('1e-999'), 'number_inexact', 'data.count'),
  way('17 significant digits', inData('0.12345678901234567'), 'number_inexact', 'data.count'),
  way('a huge number in __proto__', '"data":{"__proto__":{"a":1e999}}', 'number_inexact', 'data.__proto__.a'),
  way('data in base64', '"data_base64":"AQ=="', 'data_base64_unsupported', 'data_base64'),
  way('XML', '"datacontenttype":"text/xml"', 'datacontenttype_unsupported', 'datacontenttype'),
  way('a tenant', '"tenant":"other"', 'tenant_in_body', 'tenant'),
]
