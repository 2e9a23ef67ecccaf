import type { Json } from '../canonical-json.ts'
import type { MatcherMemory } from '../pattern/matcher.ts'
import type { Check } from './mismatch.ts'

export type ObjectSchema = { readonly [keyword: string]: Json }
export type Schema = boolean | ObjectSchema

/** What a keyword can ask for while it is compiled. */
export type Compiling = {
  /** The schema in which the keyword stands: some keywords depend on their neighbours. */
  readonly schema: ObjectSchema
  compile(schema: Schema): Check
  /** Of `#/$defs/<name>`. */
  definition(name: string): Schema | undefined
  readonly memory: MatcherMemory
}

export type Keyword = {
  /** Why its value cannot be used, as text that follows the keyword’s name. */
  fault(value: Json): string | undefined
  /** The schemas in its value, with their places in it. */
  schemas(value: Json): (readonly [path: readonly string[], schema: Json])[]
  /** How many checks of a value it is; the schemas in it apart. */
  checks(value: Json): number
  /** Steps of the patterns in it. */
  steps(value: Json): number
  check(value: Json, compiling: Compiling): Check
}

export const passes: Check = () => undefined

type Definition<T> = {
  /** Undefined when it is something else. */
  read(value: Json): T | undefined
  /** Continues "must be". */
  expects: string
  check(value: T, compiling: Compiling): Check
  schemas?(value: T): (readonly [path: readonly string[], schema: Json])[]
  checks?(value: T): number
  steps?(value: T): number
}

export function keyword<T>({ read, expects, check, ...more }: Definition<T>): Keyword {
  const whenRead = <Result>(value: Json, use: (value: T) => Result, otherwise: Result): Result => {
    const known = read(value)
    return known === undefined ? otherwise : use(known)
  }
  return {
    fault: (value) => whenRead<string | undefined>(value, () => undefined, `must be ${expects}`),
    schemas: (value) => whenRead(value, (known) => more.schemas?.(known) ?? [], []),
    checks: (value) => whenRead(value, (known) => more.checks?.(known) ?? 1, 0),
    steps: (value) => whenRead(value, (known) => more.steps?.(known) ?? 0, 0),
    check: (value, compiling) => whenRead(value, (known) => check(known, compiling), passes),
  }
}

export const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Own fields alone: data can have a field named toString, or lack it. */
export const fieldOf = (value: { readonly [key: string]: Json }, name: string): Json | undefined =>
  Object.hasOwn(value, name) ? value[name] : undefined

export const readNumber = (value: Json): number | undefined => (typeof value === 'number' ? value : undefined)

export const readCount = (value: Json): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined

export const readText = (value: Json): string | undefined => (typeof value === 'string' ? value : undefined)

export const readNames = (value: Json): string[] | undefined =>
  Array.isArray(value) && value.every((name) => typeof name === 'string') ? value : undefined

export const readSchema = (value: Json): Schema | undefined =>
  typeof value === 'boolean' || isObject(value) ? value : undefined

export function readSchemas(value: Json): Schema[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  const schemas = value.map(readSchema).filter((schema) => schema !== undefined)
  return schemas.length === value.length ? schemas : undefined
}

export function readSchemaMap(value: Json): Map<string, Schema> | undefined {
  if (!isObject(value)) return undefined
  const entries = Object.entries(value).flatMap(([name, inner]) => {
    const schema = readSchema(inner)
    return schema === undefined ? [] : [[name, schema] as const]
  })
  return entries.length === Object.keys(value).length ? new Map(entries) : undefined
}

export const aSchema = 'a schema: an object or a boolean'

export const schemasOf = {
  one: (schema: Schema) => [[[], schema] as const],
  list: (schemas: readonly Schema[]) => schemas.map((schema, index) => [[String(index)], schema] as const),
  map: (schemas: ReadonlyMap<string, Schema>) =>
    [...schemas].map(([name, schema]) => [[name], schema] as const),
}
