type State = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'after'
type Token = { kind: string; end: number }

/**
 * Where a text stops being JSON, as an index; its length when it only ends too early. JSON.parse does not say, for most
 * faults, and whoever has to mend five megabytes wants to know. Meant for text that JSON.parse has refused.
 */
export function findJsonFault(text: string): number {
  const open: string[] = []
  let state: State = 'value'
  let at = skip(blank, text, 0)
  while (at < text.length) {
    const token = readToken(text, at)
    const next: State | undefined = token.kind === 'bad' ? undefined : follow(state, token.kind, open)
    if (next === undefined) return token.kind === 'bad' ? token.end : at
    state = next
    at = skip(blank, text, token.end)
  }
  return at
}

/** The state after a token; undefined where it may not stand. Keeps account of what is open. */
function follow(state: State, kind: string, open: string[]): State | undefined {
  const inObject = open[open.length - 1] === '{'
  if (kind === '}' || kind === ']') {
    const mayClose = state === 'after' || state === (inObject ? 'key-or-end' : 'value-or-end')
    if (!mayClose || open.length === 0 || inObject !== (kind === '}')) return undefined
    open.pop()
    return 'after'
  }
  if (state === 'after') return kind === ',' && open.length > 0 ? (inObject ? 'key' : 'value') : undefined
  if (state === 'colon') return kind === ':' ? 'value' : undefined
  if (state === 'key' || state === 'key-or-end') return kind === 'string' ? 'colon' : undefined
  if (kind === '{' || kind === '[') {
    open.push(kind)
    return kind === '{' ? 'key-or-end' : 'value-or-end'
  }
  return kind === 'string' || kind === 'scalar' ? 'after' : undefined
}

const blank = /[ \t\n\r]*/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

function readToken(text: string, at: number): Token {
  const character = text[at] ?? ''
  if ('{}[],:'.includes(character)) return { kind: character, end: at + 1 }
  if (character === '"') return readString(text, at)
  const end = skip(scalar, text, at)
  return { kind: end === at ? 'bad' : 'scalar', end }
}

function readString(text: string, start: number): Token {
  for (let at = start + 1; at < text.length; ) {
    const character = text[at] ?? ''
    if (character === '"') return { kind: 'string', end: at + 1 }
    const end = character === '\\' ? skip(escaped, text, at) : at + 1
    if (end === at || character < ' ') return { kind: 'bad', end: at }
    at = end
  }
  return { kind: 'bad', end: text.length }
}

/** Index behind what the pattern matches at `at`; `at` itself where it does not match. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}
