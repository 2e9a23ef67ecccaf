import type { Json } from '@tidemark/schemas/canonical-json.ts'

/** The first place where two documents differ; undefined when they are equal. */
export type Difference = { path: string; certified: Json; recomputed: Json }

export function firstDifference(certified: Json, recomputed: Json, path = ''): Difference | undefined {
  if (certified === recomputed) return undefined
  const a = childrenOf(certified)
  const b = childrenOf(recomputed)
  if (!a || !b || Array.isArray(certified) !== Array.isArray(recomputed))
    return { path, certified, recomputed }
  for (const key of [...new Set([...a.keys(), ...b.keys()])]) {
    const name = Array.isArray(certified) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
    const found = firstDifference(a.get(key) ?? null, b.get(key) ?? null, name)
    if (found) return found
  }
  return undefined
}

function childrenOf(value: Json): Map<string, Json> | undefined {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined
}
