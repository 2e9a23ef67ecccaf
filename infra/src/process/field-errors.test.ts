import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import { fieldErrors } from './field-errors.ts'

const strict = { additionalProperties: false }

function faultsOf(schema: Type.TSchema, value: unknown) {
  return fieldErrors(Compile(schema).Errors(value), 'body').map(({ field, reason }) => `${field}: ${reason}`)
}

test('missing and unknown fields are named by their path', () => {
  const line = Type.Object({ quantity: Type.String(), price: Type.String() }, strict)
  const schema = Type.Object({ lines: Type.Array(line) }, strict)
  expect(faultsOf(schema, { lines: [{}], extra: 1 })).toEqual([
    'extra: is not known here',
    'lines.0.quantity: is missing',
    'lines.0.price: is missing',
  ])
})

test('allowed values are listed, however the schema says them', () => {
  const schema = Type.Object({
    kind: Type.Union([Type.Literal('flat'), Type.Literal('per_unit')]),
    currency: Type.Enum(['EUR', 'USD']),
    action: Type.Literal('apply'),
  })
  expect(faultsOf(schema, { kind: 'x', currency: 'x', action: 'x' }).sort()).toEqual([
    'action: must be apply',
    'currency: must be one of EUR, USD',
    'kind: must be one of flat, per_unit',
  ])
})

test('what alternatives ask for is one fault, and a value that is no object, are named too', () => {
  const nullable = Type.Object({ at: Type.Union([Type.String(), Type.Null()]) })
  expect(faultsOf(nullable, { at: 1 })).toEqual(['at: must be string or must be null'])
  expect(faultsOf(Type.Object({}), 'text')).toEqual(['body: must be object'])
})
