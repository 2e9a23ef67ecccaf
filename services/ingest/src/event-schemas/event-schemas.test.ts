import { expect, test } from 'vitest'
import { createEventSchemas, type KnownSchema } from './event-schemas.ts'

const known = (key: string, schema: object, fields: Partial<KnownSchema> = {}): KnownSchema => ({
  tenant: 'acme',
  key,
  version: 1,
  eventType: 'call',
  schema: JSON.stringify(schema),
  ...fields,
})
const open = (schemas: KnownSchema[], most?: number) => {
  const unusable: string[] = []
  const eventSchemas = createEventSchemas(({ key }, reason) => unusable.push(`${key}: ${reason}`), most)
  eventSchemas.replace(schemas)
  return { eventSchemas, unusable }
}
const least = (minimum: number) => ({ required: ['n'], properties: { n: { minimum } } })

test('a tenant without schemas has no check; a type without one passes', () => {
  const { eventSchemas } = open([known('a', least(1))])
  expect(eventSchemas.of('other')).toBeUndefined()
  expect(eventSchemas.of('acme')?.('another', { n: 0 })).toBeUndefined()
})

test('a fault names the path, what was found and expected, and whose schema it is', () => {
  const { eventSchemas } = open([known('a', least(1)), known('b', least(5), { version: 3 })])
  const check = eventSchemas.of('acme')
  expect(check?.('call', { n: 5 })).toBeUndefined()
  expect(check?.('call', { n: 2 })).toEqual({
    kind: 'fault',
    code: 'data_schema',
    field: 'data.n',
    message:
      'The data does not fit the schema that a meter of this event type carries. Meter "b", version 3: expected at least 5, found 2.',
  })
  expect(check?.('call', undefined)?.message).toContain('Meter "a", version 1: expected this field')
})

test('a replaced version is forgotten, and what stays is compiled once', () => {
  const { eventSchemas } = open([known('a', least(1))])
  expect(eventSchemas.of('acme')?.('call', { n: 0 })?.field).toBe('data.n')
  // Never so in truth, since a version never changes: the schema that was compiled for it goes on.
  eventSchemas.replace([known('a', least(-1))])
  expect(eventSchemas.of('acme')?.('call', { n: 0 })?.field).toBe('data.n')
  eventSchemas.replace([known('a', least(-1), { version: 2 })])
  expect(eventSchemas.of('acme')?.('call', { n: 0 })).toBeUndefined()
  eventSchemas.replace([])
  expect(eventSchemas.of('acme')).toBeUndefined()
})

test('beyond the compiled ones that are kept the answers stay the same', () => {
  const types = ['x', 'y', 'z']
  const { eventSchemas } = open(
    types.map((eventType, at) => known(eventType, least(at), { eventType })),
    2,
  )
  for (let round = 0; round < 3; round++)
    for (const [at, eventType] of types.entries()) {
      expect(eventSchemas.of('acme')?.(eventType, { n: at })).toBeUndefined()
      expect(eventSchemas.of('acme')?.(eventType, { n: at - 1 })?.field).toBe('data.n')
    }
})

test('a schema that is not sound checks nothing and is told, once', () => {
  const { eventSchemas, unusable } = open([known('a', { properties: { n: { $ref: '#/$defs/none' } } })])
  expect(eventSchemas.of('acme')?.('call', {})).toBeUndefined()
  expect(eventSchemas.of('acme')?.('call', {})).toBeUndefined()
  expect(unusable).toHaveLength(1)
  expect(unusable[0]).toContain('a: properties.n.$ref names #/$defs/none')
})
