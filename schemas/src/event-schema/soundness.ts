import type { Json } from '../canonical-json.ts'
import {
  definitionsOf,
  type EventSchema,
  eventSchemaDialect,
  eventSchemaLimits,
  keywordNames,
  keywordOf,
} from './event-schema.ts'
import { isObject, type Keyword } from './keyword.ts'
import { definitionPath } from './logic-keywords.ts'

export type SchemaFault = {
  /** Path with dots from the schema, such as `properties.bytes.minimum`; empty for the schema itself. */
  field: string
  reason: string
}

type Place = {
  readonly path: readonly string[]
  /** Definitions that are being followed. */
  readonly followed: readonly string[]
}

/** Why a schema cannot be taken, the first reason; undefined when it is sound: then it compiles, and is bounded. */
export function eventSchemaFault(root: EventSchema): SchemaFault | undefined {
  return sizeFault(root) ?? rootTypeFault(root) ?? createWalk(root)(root, { path: [], followed: [] })
}

function sizeFault(root: EventSchema): SchemaFault | undefined {
  const { bytes, depth } = eventSchemaLimits
  const odd = oddValue(root, [], depth)
  if (odd) return odd
  const size = new TextEncoder().encode(JSON.stringify(root)).length
  return size > bytes
    ? { field: '', reason: `takes ${size} bytes of at most ${bytes}; describe only what billing rests on` }
    : undefined
}

/** Too deep, or a number that JSON cannot write again. */
function oddValue(value: Json, path: readonly string[], depth: number): SchemaFault | undefined {
  if (typeof value === 'number' && !Number.isFinite(value))
    return { field: path.join('.'), reason: 'is a number out of range' }
  if (typeof value !== 'object' || value === null) return undefined
  if (depth === 0)
    return { field: path.join('.'), reason: `is nested deeper than ${eventSchemaLimits.depth} levels` }
  for (const [name, inner] of Object.entries(value)) {
    const odd = oddValue(inner, [...path, name], depth - 1)
    if (odd) return odd
  }
  return undefined
}

function rootTypeFault({ type }: EventSchema): SchemaFault | undefined {
  if (type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object')))
    return undefined
  return { field: 'type', reason: 'must be object: the data of an event always is one' }
}

/** Follows references as often as they stand there, since that is how often they are checked; a bound ends it. */
function createWalk(root: EventSchema): (schema: Json, place: Place) => SchemaFault | undefined {
  const definitions = definitionsOf(root)
  let checks = 0
  let steps = 0

  function walk(schema: Json, place: Place): SchemaFault | undefined {
    checks++
    const fault = countFault(place)
    if (fault || !isObject(schema)) return fault
    for (const [name, value] of Object.entries(schema)) {
      const found = walkKeyword(name, value, { ...place, path: [...place.path, name] }, schema === root)
      if (found) return found
    }
    return undefined
  }

  function countFault({ path }: Place): SchemaFault | undefined {
    const field = path.join('.')
    const most = eventSchemaLimits
    if (checks > most.checks)
      return {
        field,
        reason: `goes beyond the ${most.checks} checks of a schema: keywords, schemas and names of required fields, each as often as $ref leads to it; describe only what billing rests on`,
      }
    return steps > most.patternSteps
      ? {
          field,
          reason: `goes beyond the ${most.patternSteps} steps of all patterns of a schema, about one for each character described; bound lengths by maxLength instead of by counts`,
        }
      : undefined
  }

  function walkKeyword(name: string, value: Json, place: Place, isRoot: boolean): SchemaFault | undefined {
    const field = place.path.join('.')
    const keyword = keywordOf(name, isRoot)
    if (keyword === undefined) return { field, reason: unknownKeyword(name, isRoot) }
    const reason = keyword.fault(value)
    if (reason !== undefined) return { field, reason }
    checks += keyword.checks(value)
    steps += keyword.steps(value)
    const fault = countFault(place) ?? walkSchemas(keyword, value, place)
    return fault ?? (name === '$ref' ? followReference(String(value), place) : undefined)
  }

  function walkSchemas(keyword: Keyword, value: Json, place: Place): SchemaFault | undefined {
    for (const [path, schema] of keyword.schemas(value)) {
      const found = walk(schema, { ...place, path: [...place.path, ...path] })
      if (found) return found
    }
    return undefined
  }

  function followReference(reference: string, { path, followed }: Place): SchemaFault | undefined {
    const name = reference.slice(definitionPath.length)
    const field = path.join('.')
    const definition = definitions.get(name)
    if (definition === undefined)
      return { field, reason: `names ${reference}, which does not exist; define it in $defs` }
    if (followed.includes(name))
      return {
        field,
        reason: `leads back to itself by ${reference}; data nests 8 levels at most: write them out`,
      }
    return walk(definition, { path: ['$defs', name], followed: [...followed, name] })
  }

  return walk
}

function unknownKeyword(name: string, isRoot: boolean): string {
  if (name === '$schema' || name === '$defs') return 'may stand only at the top of the schema'
  const known = keywordNames.filter((each) => isRoot || (each !== '$schema' && each !== '$defs'))
  return `is no keyword that is known here (dialect ${eventSchemaDialect}); known are ${known.join(', ')}`
}
