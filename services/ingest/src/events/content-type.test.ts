import { expect, test } from 'vitest'
import { readContentType } from './content-type.ts'

test.each([
  ['application/json', 'either'],
  ['Application/CloudEvents+JSON', 'event'],
  ['application/cloudevents-batch+json ; Charset="UTF-8"', 'batch'],
  ['application/json; profile=x; charset=utf8', 'either'],
])('%s', (header, form) => {
  expect(readContentType(header)).toEqual({ kind: 'form', form })
})

test.each([undefined, '', 'text/json', 'application/jsonx', 'application/cloudevents+avro'])(
  '%s is not understood',
  (header) => {
    expect(readContentType(header)).toEqual({ kind: 'unsupported_media_type' })
  },
)

test('another charset is named', () => {
  expect(readContentType('application/json;charset=ISO-8859-1')).toEqual({
    kind: 'charset_unsupported',
    charset: 'iso-8859-1',
  })
})
