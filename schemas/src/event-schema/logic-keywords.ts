import type { Json } from '../canonical-json.ts'
import {
  aSchema,
  fieldOf,
  type Keyword,
  keyword,
  passes,
  readSchema,
  readSchemas,
  type Schema,
  schemasOf,
} from './keyword.ts'
import { type Check, type Mismatch, mismatch, shorten } from './mismatch.ts'

/** What would have fitted: all that the alternatives ask of the value itself, or the one that came deepest into it. */
function nearest(found: readonly Mismatch[], value: Json): Mismatch {
  const [deepest] = [...found].sort((a, b) => b.path.length - a.path.length)
  if (deepest && deepest.path.length > 0) return deepest
  const expected = [...new Set(found.map((each) => each.expected))].join(' or ')
  return mismatch(shorten(expected, 200), value)
}

function checkAny(checks: readonly Check[]): Check {
  return (value) => {
    const found: Mismatch[] = []
    for (const check of checks) {
      const fault = check(value)
      if (fault === undefined) return undefined
      found.push(fault)
    }
    return nearest(found, value)
  }
}

/** Each form is tried once: a second look, to tell why, would double with every level of them. */
function checkOne(checks: readonly Check[]): Check {
  return (value) => {
    const found = checks.flatMap((check) => check(value) ?? [])
    const fits = checks.length - found.length
    if (fits === 1) return undefined
    return fits === 0
      ? nearest(found, value)
      : mismatch(`one form of oneOf, not ${fits} of them at once`, value)
  }
}

function checkAll(checks: readonly Check[]): Check {
  return (value) => {
    for (const check of checks) {
      const found = check(value)
      if (found) return found
    }
    return undefined
  }
}

const overSchemas = (combine: (checks: readonly Check[]) => Check): Keyword =>
  keyword({
    read: readSchemas,
    expects: 'an array of at least one schema',
    schemas: schemasOf.list,
    check: (schemas, { compile }) => combine(schemas.map(compile)),
  })

/** Judged by `if`. */
const branch = keyword({ read: readSchema, expects: aSchema, schemas: schemasOf.one, check: () => passes })

export const branchKeywords = ['then', 'else'].map((name) => [name, branch] as const)

export const definitionPath = '#/$defs/'

export const logicKeywords: { readonly [name: string]: Keyword } = {
  allOf: overSchemas(checkAll),
  anyOf: overSchemas(checkAny),
  oneOf: overSchemas(checkOne),
  not: keyword({
    read: readSchema,
    expects: aSchema,
    schemas: schemasOf.one,
    check(schema, { compile }) {
      const check = compile(schema)
      return (value) => (check(value) ? undefined : mismatch('something that "not" does not exclude', value))
    },
  }),
  if: keyword({
    read: readSchema,
    expects: aSchema,
    schemas: schemasOf.one,
    check(condition, { schema, compile }) {
      const branchOf = (name: string): Check => {
        const value = fieldOf(schema, name)
        const known: Schema | undefined = value === undefined ? undefined : readSchema(value)
        return known === undefined ? passes : compile(known)
      }
      const check = compile(condition)
      const then = branchOf('then')
      const otherwise = branchOf('else')
      return (value) => (check(value) ? otherwise(value) : then(value))
    },
  }),
  $ref: keyword({
    read: (value) => (typeof value === 'string' && value.startsWith(definitionPath) ? value : undefined),
    expects: `the name of a definition in this schema, such as ${definitionPath}amount`,
    check(reference, { compile, definition }) {
      const schema = definition(reference.slice(definitionPath.length))
      return schema === undefined ? passes : compile(schema)
    },
  }),
}
