import { invalidRequest } from './api-error.ts'

/** A decoded form: nested brackets become nested trees, list items become keys `0`, `1`, … in the order sent. */
export type FormTree = { [name: string]: string | FormTree }

/** Far above what the client sends; a body beyond it is a mistake. */
const maxPairs = 1_000
const maxDepth = 5

/**
 * Decodes application/x-www-form-urlencoded text (a body or a query string) with Stripe's brackets:
 * `metadata[order]=7`, `created[gte]=1`, `expand[0]=x` or `expand[]=x`.
 */
export function decodeForm(text: string): FormTree {
  const pairs = [...new URLSearchParams(text)]
  if (pairs.length > maxPairs) {
    throw invalidRequest(`The request has ${pairs.length} parameters; ${maxPairs} are the most.`)
  }
  const root = emptyTree()
  for (const [name, value] of pairs) put(root, pathOf(name), value, name)
  return root
}

/** `a[b][]` → ['a', 'b', '']. */
function pathOf(name: string): string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name)
  if (match === null) {
    throw invalidRequest(`The parameter name ${name} is not valid: brackets must be balanced, as in a[b].`)
  }
  const inner = [...(match[2] ?? '').matchAll(/\[([^[\]]*)\]/g)].map((part) => part[1] ?? '')
  const path = [match[1] ?? '', ...inner]
  if (path.length > maxDepth) throw invalidRequest(`The parameter ${name} is nested too deeply.`)
  return path
}

function put(root: FormTree, path: string[], value: string, name: string): void {
  let tree = root
  for (const [index, part] of path.entries()) {
    const key = part === '' ? String(Object.keys(tree).length) : part
    if (index === path.length - 1) {
      tree[key] = value
      return
    }
    const next = tree[key] ?? emptyTree()
    if (typeof next === 'string') throw invalidRequest(`The parameter ${name} is both a value and a hash.`)
    tree[key] = next
    tree = next
  }
}

/** Without a prototype, so that a parameter called `__proto__` is only a parameter. */
function emptyTree(): FormTree {
  return Object.create(null)
}
