import { Compile } from 'typebox/schema'
import { expect, test } from 'vitest'
import type { Json } from '../canonical-json.ts'
import { compileEventSchema, type EventSchema } from './event-schema.ts'
import { shown } from './mismatch.ts'
import { eventSchemaFault } from './soundness.ts'

/** Numbers from 0 up to below a bound, the same ones each time. */
function createChoice(seed: number) {
  let state = seed
  const choose = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
  const pick = <T>(values: readonly [T, ...T[]]): T => values[choose(values.length)] ?? values[0]
  return { choose, pick }
}
type Choice = ReturnType<typeof createChoice>

const names = ['a', 'b', 'ab'] as const

function randomValue({ choose, pick }: Choice, depth: number): Json {
  const inner = () => randomValue({ choose, pick }, depth - 1)
  const scalar = pick<Json>([0, 1, 2, 3, -4, 1.5, 'a', 'bb', 'ccc', '', '😀', true, false, null])
  if (depth === 0 || choose(3) === 0) return scalar
  if (choose(2) === 0) return Array.from({ length: choose(4) }, inner)
  return Object.fromEntries(names.filter(() => choose(2) === 0).map((name) => [name, inner()]))
}

function randomSchema(choice: Choice, depth: number): Json {
  const { choose, pick } = choice
  const inner = () => randomSchema(choice, depth - 1)
  const some = () => Array.from({ length: 1 + choose(2) }, inner)
  const map = () => Object.fromEntries(names.filter(() => choose(2) === 0).map((name) => [name, inner()]))
  const type = () => pick(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'])
  const plain: readonly [() => EventSchema, ...(() => EventSchema)[]] = [
    () => ({ type: type() }),
    () => ({ type: [type(), type()] }),
    () => ({ enum: [randomValue(choice, 1), randomValue(choice, 1)] }),
    () => ({ const: randomValue(choice, 1) }),
    () => ({ minimum: choose(3), exclusiveMaximum: 3 }),
    () => ({ maximum: choose(3), exclusiveMinimum: -4 }),
    () => ({ multipleOf: 1 + choose(2) }),
    () => ({ minLength: choose(3), maxLength: 2 }),
    () => ({ pattern: pick(['^a', 'b+$', '^[a-c]*$']) }),
    () => ({ required: [pick(names)], minProperties: choose(2), maxProperties: 2 }),
    () => ({ dependentRequired: { a: ['b'] } }),
    () => ({ minItems: choose(2), maxItems: 2 }),
    () => ({ uniqueItems: choose(2) === 0 }),
  ]
  if (depth === 0) return choose(5) === 0 ? choose(2) === 0 : pick(plain)()
  return pick([
    ...plain,
    () => ({ properties: map(), additionalProperties: inner() }),
    () => ({
      patternProperties: { '^a': inner() },
      properties: map(),
      additionalProperties: choose(2) === 0,
    }),
    () => ({ propertyNames: inner() }),
    () => ({ items: inner() }),
    () => ({ prefixItems: some(), items: inner() }),
    () => ({ contains: inner(), minContains: choose(3), maxContains: 2 }),
    () => ({ allOf: some() }),
    () => ({ anyOf: some() }),
    () => ({ oneOf: some() }),
    () => ({ not: inner() }),
    () => Object.fromEntries(['if', 'then', 'else'].map((name) => [name, inner()])),
    () => ({ ...pick(plain)(), $ref: '#/$defs/part' }),
  ])()
}

test('of 1,500 random schemas it says what another implementation says', () => {
  const choice = createChoice(11)
  let fits = 0
  for (let round = 0; round < 1_500; round++) {
    const schema: EventSchema = {
      $defs: { part: randomSchema({ ...choice, pick: choice.pick }, 0) },
      anyOf: [randomSchema(choice, 3)],
    }
    if (JSON.stringify(schema.$defs).includes('$ref')) continue
    expect({ schema, fault: eventSchemaFault(schema) }).toEqual({ schema, fault: undefined })
    const check = compileEventSchema(schema)
    const other = Compile(schema)
    for (let at = 0; at < 8; at++) {
      const value = randomValue(choice, 3)
      const isFit = check(value) === undefined
      if (isFit) fits++
      expect({ schema, value, isFit }).toEqual({ schema, value, isFit: other.Check(value) })
    }
  }
  // Neither everything nor nothing: the comparison means something.
  expect(fits).toBeGreaterThan(2_000)
  expect(fits).toBeLessThan(10_000)
})

const told = (schema: EventSchema, value: Json): string => {
  const found = compileEventSchema(schema)(value)
  return found === undefined
    ? 'fits'
    : `${found.path.join('.')}: expected ${found.expected}, found ${shown(found.found)}`
}
const inField = (schema: Json): EventSchema => ({ properties: { f: schema } })

test.each<[Json, Json, string]>([
  [{ type: 'integer' }, 1.5, 'expected an integer, found 1.5'],
  [{ type: ['number', 'null'] }, 'x', 'expected a number or null, found "x"'],
  [{ type: 'string', minLength: 2 }, 'x', 'expected at least 2 characters, found "x"'],
  [{ type: 'string', minLength: 2 }, 7, 'expected a string, found 7'],
  [{ maxLength: 1 }, '😀😀', 'expected at most 1 character, found "😀😀"'],
  [{ enum: ['a', 1] }, 'b', 'expected one of "a", 1, found "b"'],
  [{ const: { a: 1 } }, {}, 'expected {"a":1}, found an object'],
  [{ exclusiveMinimum: 0 }, 0, 'expected more than 0, found 0'],
  [{ multipleOf: 0.1 }, 0.25, 'expected a multiple of 0.1, found 0.25'],
  [{ pattern: '^[A-Z]{3}$' }, 'eur', 'expected text that matches ^[A-Z]{3}$, found "eur"'],
  [{ format: 'date-time' }, '2026-11-21', 'expected an RFC 3339 instant with a zone, found "2026-11-21"'],
  [{ format: 'date' }, '2026-02-30', 'expected a date such as 2026-11-21, found "2026-02-30"'],
  [
    { anyOf: [{ type: 'number' }, { format: 'decimal', type: 'string' }] },
    true,
    'expected a number or a string, found true',
  ],
  [{ not: { const: 0 } }, 0, 'expected something that "not" does not exclude, found 0'],
  [false, 1, 'expected nothing here, found 1'],
  [{ maxItems: 1 }, [1, 2], 'expected at most 1 item, found an array of 2'],
])('%j says of %j: %s', (schema, value, text) => {
  expect(told(inField(schema), { f: value })).toBe(`f: ${text}`)
})

test('the path leads to the part that does not fit, also through references, arrays and alternatives', () => {
  const schema: EventSchema = {
    properties: { lines: { items: { $ref: '#/$defs/line' } } },
    additionalProperties: false,
    $defs: {
      line: {
        oneOf: [
          { type: 'string' },
          { type: 'object', properties: { size: { minimum: 1 } }, required: ['size'] },
        ],
      },
    },
  }
  expect(told(schema, { lines: ['a', { size: 2 }, { size: 0 }] })).toBe(
    'lines.2.size: expected at least 1, found 0',
  )
  expect(told(schema, { lines: [{}] })).toBe(
    'lines.0.size: expected this field, which is required, found nothing',
  )
  expect(told(schema, { line: [] })).toBe('line: expected no field of this name, found an array of 0')
})

test('decimals are multiples by their digits, and fields are those that were sent', () => {
  expect(told(inField({ multipleOf: 0.1 }), { f: 0.3 })).toBe('fits')
  expect(told(inField({ multipleOf: 0.01 }), { f: 1.1 })).toBe('fits')
  expect(told({ required: ['toString'] }, {})).toContain('toString: expected this field')
  expect(told({ properties: { constructor: { type: 'number' } } }, {})).toBe('fits')
  expect(told(inField({ format: 'decimal' }), { f: '-12.000000001' })).toBe('fits')
  expect(told(inField({ format: 'decimal' }), { f: '1e3' })).toContain('a decimal number as text')
})

test('what is found is told in few characters', () => {
  expect(told(inField({ maxLength: 3 }), { f: 'x'.repeat(10_000) }).length).toBeLessThan(150)
  expect(
    told(inField({ enum: Array.from({ length: 500 }, (_, at) => `v${at}`) }), { f: 1 }).length,
  ).toBeLessThan(300)
})
