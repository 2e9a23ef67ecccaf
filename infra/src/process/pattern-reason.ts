import { isRecord } from './record.ts'

type PatternError = { keyword: string; schemaPath: string; message: string }

/**
 * What a validator found, with the words of a schema's description in place of its pattern, which helps nobody to mend
 * anything. Such a description names a thing, so that it can follow "must be": `Decimal text such as 0.0175`.
 */
export function explainPatterns<Found extends PatternError>(
  schema: unknown,
  found: readonly Found[],
): Found[] {
  return found.map((error) => {
    const description = error.keyword === 'pattern' ? descriptionAt(schema, error.schemaPath) : undefined
    return description === undefined ? error : { ...error, message: `must be ${lowerFirst(description)}` }
  })
}

/** @param path such as `#/properties/id`, as TypeBox names the schema that refuses */
function descriptionAt(schema: unknown, path: string): string | undefined {
  const found = path
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (at, name) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, name) : undefined),
      schema,
    )
  return isRecord(found) && typeof found.description === 'string' ? found.description : undefined
}

/** Abbreviations such as IANA keep their capitals. */
const lowerFirst = (text: string): string =>
  /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
