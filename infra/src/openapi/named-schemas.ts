import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '../process/record.ts'

/** What holds values instead of schemas. */
const values = new Set(['example', 'examples', 'default', 'enum', 'const'])

/**
 * Takes each schema that has a title such as `Currency` out of a document's paths, to `components.schemas`, and refers to it:
 * what many operations share is told once. A description stays where it stands.
 * @throws RangeError when two schemas of one title differ
 */
export function nameSchemas(document: Record<string, unknown>): Record<string, unknown> {
  const named: Record<string, unknown> = {}
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk)
    if (!isRecord(value)) return value
    const walked = Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, values.has(key) ? inner : walk(inner)]),
    )
    const { title, description, ...schema } = walked
    if (typeof title !== 'string' || !/^[A-Z][A-Za-z]+$/.test(title)) return walked
    if (named[title] !== undefined && !isDeepStrictEqual(named[title], schema))
      throw new RangeError(`two schemas with the title "${title}" differ; give one of them another title`)
    named[title] = schema
    return { $ref: `#/components/schemas/${title}`, ...(description === undefined ? {} : { description }) }
  }
  const paths = walk(document.paths)
  const components = isRecord(document.components) ? document.components : {}
  const schemas = isRecord(components.schemas) ? components.schemas : {}
  return { ...document, paths, components: { ...components, schemas: { ...schemas, ...named } } }
}
