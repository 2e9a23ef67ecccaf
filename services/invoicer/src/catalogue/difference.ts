import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'

/** One value that a change sets, replaces or takes away: `prices[calls].unitPrice` from 0.01 to 0.02. */
export type Difference = { path: string; before?: Json; after?: Json }

type Entries = ReadonlyMap<string, Json>

/**
 * What differs between two values, down to the smallest parts. Items of a list that have an id or key are compared with
 * the one of the same name, wherever it stands; others by their place.
 */
export function differenceOf(before: Json | undefined, after: Json | undefined, path = ''): Difference[] {
  const [was, is] = [entriesOf(before), entriesOf(after)]
  if (was === undefined || is === undefined || isList(before) !== isList(after))
    return isSame(before, after) ? [] : [differenceAt(path, before, after)]
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) =>
    differenceOf(
      was.get(name),
      is.get(name),
      `${path}${isList(before) || isList(after) ? `[${name}]` : path === '' ? name : `.${name}`}`,
    ),
  )
}

const isList = (value: Json | undefined): boolean => Array.isArray(value)

const isSame = (a: Json | undefined, b: Json | undefined): boolean =>
  a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b)

const differenceAt = (path: string, before: Json | undefined, after: Json | undefined): Difference => ({
  path,
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
})

/** The parts of a record or a list by name; a value without parts has none. */
function entriesOf(value: Json | undefined): Entries | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!Array.isArray(value)) return new Map(Object.entries(value))
  const named = value.map((item, index) => [nameOf(item) ?? String(index), item] as const)
  const byName = new Map(named)
  // Two of one name, such as a subject that comes back, can only be told by their places.
  return byName.size === value.length ? byName : new Map(value.map((item, index) => [String(index), item]))
}

function nameOf(item: Json): string | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined
  const name = item.id ?? item.key
  return typeof name === 'string' ? name : undefined
}
