import { expect, test } from 'vitest'
import { type EventSchema, eventSchemaLimits } from './event-schema.ts'
import { eventSchemaFault } from './soundness.ts'

const { bytes, checks, depth } = eventSchemaLimits

test('a schema at its bounds is sound', () => {
  const names = Array.from({ length: checks - 1 }, (_, at) => `f${at}`)
  expect(eventSchemaFault({ required: names })).toBeUndefined()
  expect(eventSchemaFault({ required: [...names, 'more'] })?.field).toBe('required')
  const text = 'x'.repeat(bytes - JSON.stringify({ title: '' }).length)
  expect(eventSchemaFault({ title: text })).toBeUndefined()
  expect(eventSchemaFault({ title: `${text}x` })?.reason).toContain(`of at most ${bytes}`)
  const nested = (levels: number): EventSchema => (levels === 1 ? {} : { not: nested(levels - 1) })
  expect(eventSchemaFault(nested(depth))).toBeUndefined()
  expect(eventSchemaFault(nested(depth + 1))?.reason).toContain(`deeper than ${depth} levels`)
})

test('references count as often as they lead somewhere, so that few bytes cannot ask for much', () => {
  const twice = (at: number) => ({ allOf: [{ $ref: `#/$defs/d${at}` }, { $ref: `#/$defs/d${at}` }] })
  const $defs = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`d${at}`, twice(at + 1)]))
  expect(eventSchemaFault({ $defs: { ...$defs, d30: {} } })?.reason).toContain('beyond')
})

test('a depth that would overflow calls is refused, not followed', () => {
  let deepest: EventSchema = {}
  for (let level = 0; level < 100_000; level++) deepest = { not: deepest }
  expect(eventSchemaFault(deepest)?.reason).toContain('nested deeper')
})

test('a name that JavaScript knows is no keyword and no definition', () => {
  for (const name of ['constructor', 'toString', 'hasOwnProperty'])
    expect(eventSchemaFault({ [name]: 1 })?.reason).toContain('is no keyword')
  expect(eventSchemaFault({ properties: { a: { $ref: '#/$defs/constructor' } } })?.reason).toContain(
    'does not exist',
  )
  expect(eventSchemaFault({ properties: { constructor: { type: 'string' } } })).toBeUndefined()
  expect(eventSchemaFault({ properties: { a: { $defs: {} } } })?.reason).toContain('only at the top')
})

test('a number out of range is refused: it could not be stored', () => {
  expect(eventSchemaFault({ properties: { a: { maximum: Number('1e999') } } })).toEqual({
    field: 'properties.a.maximum',
    reason: 'is a number out of range',
  })
})
