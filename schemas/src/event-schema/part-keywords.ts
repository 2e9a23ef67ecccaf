import { canonicalJson, type Json } from '../canonical-json.ts'
import { createMatcher } from '../pattern/matcher.ts'
import {
  aSchema,
  type Compiling,
  fieldOf,
  isObject,
  type Keyword,
  keyword,
  passes,
  readCount,
  readNames,
  readSchema,
  readSchemaMap,
  readSchemas,
  type Schema,
  schemasOf,
} from './keyword.ts'
import { below, type Check, mismatch } from './mismatch.ts'
import { patternFault, patternSteps } from './value-keywords.ts'

/** Where a neighbour is left out, or is no such thing, it says nothing. */
const neighbour = <T>(
  { schema }: Compiling,
  name: string,
  read: (value: Json) => T | undefined,
): T | undefined => {
  const value = fieldOf(schema, name)
  return value === undefined ? undefined : read(value)
}

function checkProperties(schemas: ReadonlyMap<string, Schema>, { compile }: Compiling): Check {
  const checks = [...schemas].map(([name, schema]) => [name, compile(schema)] as const)
  return (value) => {
    if (!isObject(value)) return undefined
    for (const [name, check] of checks) {
      const field = fieldOf(value, name)
      const found = field === undefined ? undefined : check(field)
      if (found) return below(name, found)
    }
    return undefined
  }
}

function checkPatternProperties(schemas: ReadonlyMap<string, Schema>, { compile, memory }: Compiling): Check {
  const checks = [...schemas].map(
    ([source, schema]) => [createMatcher(source, memory), compile(schema)] as const,
  )
  return (value) => {
    if (!isObject(value)) return undefined
    for (const [name, field] of Object.entries(value))
      for (const [matches, check] of checks) {
        const found = matches(name) ? check(field) : undefined
        if (found) return below(name, found)
      }
    return undefined
  }
}

function checkOtherProperties(schema: Schema, compiling: Compiling): Check {
  const named = neighbour(compiling, 'properties', readSchemaMap) ?? new Map()
  const patterns = [...(neighbour(compiling, 'patternProperties', readSchemaMap) ?? new Map()).keys()]
  const matchers = patterns.map((source) => createMatcher(String(source), compiling.memory))
  const check = compiling.compile(schema)
  return (value) => {
    if (!isObject(value)) return undefined
    for (const [name, field] of Object.entries(value)) {
      if (named.has(name) || matchers.some((matches) => matches(name))) continue
      const found = schema === false ? mismatch('no field of this name', field) : check(field)
      if (found) return below(name, found)
    }
    return undefined
  }
}

const missing = (name: string, why = 'this field, which is required') => below(name, mismatch(why, undefined))

function checkRequired(names: readonly string[]): Check {
  return (value) => {
    const lacking = isObject(value) ? names.find((name) => !Object.hasOwn(value, name)) : undefined
    return lacking === undefined ? undefined : missing(lacking)
  }
}

function readDependents(value: Json): Map<string, string[]> | undefined {
  if (!isObject(value)) return undefined
  const entries = Object.entries(value).flatMap(([name, inner]) => {
    const names = readNames(inner)
    return names === undefined ? [] : [[name, names] as const]
  })
  return entries.length === Object.keys(value).length ? new Map(entries) : undefined
}

function checkItems(schema: Schema, compiling: Compiling): Check {
  const first = neighbour(compiling, 'prefixItems', readSchemas)?.length ?? 0
  const check = compiling.compile(schema)
  return (value) => {
    if (!Array.isArray(value)) return undefined
    for (let at = first; at < value.length; at++) {
      const found = check(value[at] ?? null)
      if (found) return below(String(at), found)
    }
    return undefined
  }
}

function checkFirstItems(schemas: readonly Schema[], { compile }: Compiling): Check {
  const checks = schemas.map(compile)
  return (value) => {
    if (!Array.isArray(value)) return undefined
    for (const [at, check] of checks.entries()) {
      const found = at < value.length ? check(value[at] ?? null) : undefined
      if (found) return below(String(at), found)
    }
    return undefined
  }
}

function checkContains(schema: Schema, compiling: Compiling): Check {
  const least = neighbour(compiling, 'minContains', readCount) ?? 1
  const most = neighbour(compiling, 'maxContains', readCount) ?? Number.POSITIVE_INFINITY
  const check = compiling.compile(schema)
  return (value) => {
    if (!Array.isArray(value)) return undefined
    const count = value.filter((item) => check(item) === undefined).length
    if (count < least) return mismatch(`at least ${least} of its items as contains says`, value)
    return count > most ? mismatch(`at most ${most} of its items as contains says`, value) : undefined
  }
}

const sizeOf = { array: (value: Json) => (Array.isArray(value) ? value.length : undefined) }
const fieldsOf = (value: Json) => (isObject(value) ? Object.keys(value).length : undefined)

const aboutSizes = (
  of: (value: Json) => number | undefined,
  fits: (size: number, limit: number) => boolean,
  text: (limit: number) => string,
): Keyword =>
  keyword({
    read: readCount,
    expects: 'a whole number from 0',
    check: (limit) => (value) => {
      const size = of(value)
      return size === undefined || fits(size, limit) ? undefined : mismatch(text(limit), value)
    },
  })

const counted = (limit: number, noun: string): string => `${limit} ${noun}${limit === 1 ? '' : 's'}`
const notMore = (size: number, limit: number): boolean => size <= limit
const notLess = (size: number, limit: number): boolean => size >= limit
const onlyCounts = { read: readCount, expects: 'a whole number from 0', check: () => passes }
const names = { read: readNames, expects: 'an array of names', checks: (list: string[]) => list.length }

const patternMap = keyword({
  read: readSchemaMap,
  expects: 'an object of schemas, by regular expressions',
  schemas: schemasOf.map,
  steps: (schemas) => [...schemas.keys()].reduce((sum, source) => sum + patternSteps(source), 0),
  check: checkPatternProperties,
})

export const partKeywords: { readonly [name: string]: Keyword } = {
  properties: keyword({
    read: readSchemaMap,
    expects: 'an object of schemas, by the names of fields',
    schemas: schemasOf.map,
    check: checkProperties,
  }),
  patternProperties: {
    ...patternMap,
    fault: (value) =>
      patternMap.fault(value) ??
      [...(readSchemaMap(value)?.keys() ?? [])].map(patternFault).find((reason) => reason !== undefined),
  },
  additionalProperties: keyword({
    read: readSchema,
    expects: aSchema,
    schemas: schemasOf.one,
    check: checkOtherProperties,
  }),
  propertyNames: keyword({
    read: readSchema,
    expects: aSchema,
    schemas: schemasOf.one,
    check(schema, { compile }) {
      const check = compile(schema)
      return (value) => {
        for (const name of isObject(value) ? Object.keys(value) : []) {
          const found = check(name)
          if (found) return below(name, { ...found, expected: `a name that is ${found.expected}` })
        }
        return undefined
      }
    },
  }),
  required: keyword({ ...names, check: checkRequired }),
  dependentRequired: keyword({
    read: readDependents,
    expects: 'an object of arrays of names',
    checks: (dependents) => [...dependents.values()].reduce((sum, list) => sum + 1 + list.length, 1),
    check: (dependents) => (value) => {
      if (!isObject(value)) return undefined
      for (const [name, needed] of dependents) {
        const lacking = Object.hasOwn(value, name) && needed.find((other) => !Object.hasOwn(value, other))
        if (typeof lacking === 'string') return missing(lacking, `this field, which ${name} requires`)
      }
      return undefined
    },
  }),
  minProperties: aboutSizes(fieldsOf, notLess, (limit) => `at least ${counted(limit, 'field')}`),
  maxProperties: aboutSizes(fieldsOf, notMore, (limit) => `at most ${counted(limit, 'field')}`),
  items: keyword({ read: readSchema, expects: aSchema, schemas: schemasOf.one, check: checkItems }),
  prefixItems: keyword({
    read: readSchemas,
    expects: 'an array of schemas',
    schemas: schemasOf.list,
    check: checkFirstItems,
  }),
  contains: keyword({ read: readSchema, expects: aSchema, schemas: schemasOf.one, check: checkContains }),
  minContains: keyword(onlyCounts),
  maxContains: keyword(onlyCounts),
  minItems: aboutSizes(sizeOf.array, notLess, (limit) => `at least ${counted(limit, 'item')}`),
  maxItems: aboutSizes(sizeOf.array, notMore, (limit) => `at most ${counted(limit, 'item')}`),
  uniqueItems: keyword({
    read: (value) => (typeof value === 'boolean' ? value : undefined),
    expects: 'true or false',
    // Each item is written out to be compared.
    checks: () => 20,
    check: (isWanted) => (value) =>
      isWanted && Array.isArray(value) && new Set(value.map(canonicalJson)).size < value.length
        ? mismatch('items that all differ', value)
        : undefined,
  }),
}
