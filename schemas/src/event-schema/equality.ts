import type { Json } from '../canonical-json.ts'

export const isComposite = (value: Json): value is Json[] | { [key: string]: Json } =>
  typeof value === 'object' && value !== null

/** Takes time that grows with the smaller of both. */
export function equals(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || !isComposite(a) || !isComposite(b)) return false
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, at) => equals(item, b[at]))
    )
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => Object.hasOwn(b, name) && equals(a[name], b[name]))
}
