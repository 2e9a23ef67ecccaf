import { isRecord } from './record.ts'

export type FieldError = {
  /** Path with dots from the part's root, like `lines.0.quantity`. */
  field: string
  reason: string
}

type Entry = { keyword: string; path: string; params: Record<string, unknown>; message: string }

/**
 * What a validator (TypeBox's or ajv, which name the same things differently) found, as fields and reasons that say
 * how to mend each. `part` names the whole when the fault belongs to no field of it.
 */
export function fieldErrors(found: readonly unknown[], part: string): FieldError[] {
  const entries = found.flatMap(readEntry)
  const constants = constantsByPath(entries)
  const described = entries.map((entry) => ({ entry, errors: describe(entry, part, constants) }))
  const errors = described.flatMap(({ entry, errors }) => (isAlternative(entry) ? [] : errors))
  // What each of several alternatives asks for is one fault.
  for (const { entry, errors: noneFits } of described.filter(({ entry }) => isAlternative(entry))) {
    const field = entry.path === '' ? part : entry.path
    const reasons = errors.filter((error) => error.field === field).map(({ reason }) => reason)
    if (reasons.length === 0) errors.push(...noneFits)
    else merge(errors, field, [...new Set(reasons)].join(' or '))
  }
  const distinct = new Map(errors.map((error) => [`${error.field} ${error.reason}`, error]))
  return [...distinct.values()]
}

const isAlternative = ({ keyword }: Entry): boolean => keyword === 'anyOf' || keyword === 'oneOf'

function merge(errors: FieldError[], field: string, reason: string): void {
  for (const error of errors) if (error.field === field) error.reason = reason
}

function readEntry(entry: unknown): Entry[] {
  if (!isRecord(entry)) return []
  const { keyword, instancePath, params, message } = entry
  return [
    {
      keyword: typeof keyword === 'string' ? keyword : '',
      path: typeof instancePath === 'string' ? instancePath.slice(1).replaceAll('/', '.') : '',
      params: isRecord(params) ? params : {},
      message: typeof message === 'string' ? message : 'is not valid',
    },
  ]
}

function constantsByPath(entries: readonly Entry[]): Map<string, unknown[]> {
  const constants = new Map<string, unknown[]>()
  for (const { keyword, path, params } of entries)
    if (keyword === 'const') constants.set(path, [...(constants.get(path) ?? []), params.allowedValue])
  return constants
}

function describe(
  { keyword, path, params, message }: Entry,
  part: string,
  constants: Map<string, unknown[]>,
): FieldError[] {
  const below = (name: string) => (path === '' ? name : `${path}.${name}`)
  const field = path === '' ? part : path
  switch (keyword) {
    case 'required':
      return names(params.requiredProperties ?? params.missingProperty).map((name) => ({
        field: below(name),
        reason: 'is missing',
      }))
    case 'additionalProperties':
      return names(params.additionalProperties ?? params.additionalProperty).map((name) => ({
        field: below(name),
        reason: 'is not known here',
      }))
    case 'enum':
      return [{ field, reason: `must be one of ${names(params.allowedValues).join(', ')}` }]
    case 'const':
      return [{ field, reason: `must be ${oneOf(constants.get(path) ?? [])}` }]
    case 'anyOf':
    case 'oneOf':
      return constants.has(path) ? [] : [{ field, reason: 'matches none of the forms allowed here' }]
    // The echo of an additional property.
    case 'boolean':
    case 'false schema':
      return []
    default:
      return [{ field, reason: message }]
  }
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(', ')}`
}

function names(value: unknown): string[] {
  return [value].flat().map(String)
}
