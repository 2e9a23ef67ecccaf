import type { Json } from '../canonical-json.ts'
import {
  fieldOf,
  type Keyword,
  keyword,
  type ObjectSchema,
  passes,
  readSchemaMap,
  schemasOf,
} from './keyword.ts'
import { branchKeywords, logicKeywords } from './logic-keywords.ts'
import { type Check, mismatch } from './mismatch.ts'
import { partKeywords } from './part-keywords.ts'
import { valueKeywords } from './value-keywords.ts'

/** The JSON Schema of an event's data: the dialect below, its keywords as far as they are listed here. */
export type EventSchema = { [keyword: string]: Json }

export const eventSchemaDialect = 'https://json-schema.org/draft/2020-12/schema'

/** Bounds of a schema: what is checked at the door is checked for every event, before anybody else's is looked at. */
export const eventSchemaLimits = {
  bytes: 16_384,
  /** Objects and arrays in each other; data has 8 levels, each of which takes two here. */
  depth: 24,
  /** Keywords, schemas and names of required fields, each as often as $ref leads to it. */
  checks: 500,
  /** Of all patterns, as often; about one for each character that a pattern describes. */
  patternSteps: 300,
} as const

/** They say something to people and nothing about data. */
const annotations = [
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
]

const annotation = keyword<{ value: Json }>({
  read: (value) => ({ value }),
  expects: 'any value',
  checks: () => 0,
  check: () => passes,
})

const keywords: ReadonlyMap<string, Keyword> = new Map([
  ...Object.entries(valueKeywords),
  ...Object.entries(partKeywords),
  ...Object.entries(logicKeywords),
  ...branchKeywords,
  ...annotations.map((name) => [name, annotation] as const),
])

const rootKeywords: ReadonlyMap<string, Keyword> = new Map([
  [
    '$schema',
    keyword({
      read: (value) => (value === eventSchemaDialect ? value : undefined),
      expects: eventSchemaDialect,
      checks: () => 0,
      check: () => passes,
    }),
  ],
  [
    '$defs',
    keyword({
      read: readSchemaMap,
      expects: 'an object of schemas, by their names',
      schemas: schemasOf.map,
      checks: () => 0,
      check: () => passes,
    }),
  ],
])

export const keywordNames: readonly string[] = [...rootKeywords.keys(), ...keywords.keys()]

export const keywordOf = (name: string, isRoot: boolean): Keyword | undefined =>
  keywords.get(name) ?? (isRoot ? rootKeywords.get(name) : undefined)

export const definitionsOf = (root: ObjectSchema): ReadonlyMap<string, ObjectSchema | boolean> =>
  readSchemaMap(fieldOf(root, '$defs') ?? {}) ?? new Map()

/**
 * Turns a sound schema into a function, in time that grows with the number of its checks.
 * @returns the first reason why a value does not fit
 */
export function compileEventSchema(root: EventSchema): Check {
  const definitions = definitionsOf(root)
  const memory = { bytes: 262_144 }
  const compile = (schema: ObjectSchema | boolean): Check => {
    if (schema === true) return passes
    if (schema === false) return (value) => mismatch('nothing here', value)
    const compiling = { schema, compile, definition: (name: string) => definitions.get(name), memory }
    const checks = Object.entries(schema)
      .sort(([a], [b]) => Number(b === 'type') - Number(a === 'type'))
      .flatMap(([name, value]) => keywordOf(name, schema === root)?.check(value, compiling) ?? [])
      .filter((check) => check !== passes)
    const [only = passes] = checks
    if (checks.length < 2) return only
    return (value) => {
      for (const check of checks) {
        const found = check(value)
        if (found) return found
      }
      return undefined
    }
  }
  return compile(root)
}
