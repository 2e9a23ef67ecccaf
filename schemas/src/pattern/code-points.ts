/** Code points as inclusive ranges, sorted and apart. */
export type CodePoints = readonly (readonly [number, number])[]

const highest = 0x10ffff

export function union(ranges: Iterable<readonly [number, number]>): CodePoints {
  const merged: [number, number][] = []
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high)
    else merged.push([low, high])
  }
  return merged
}

/** All others. */
export function complement(set: CodePoints): CodePoints {
  const gaps: [number, number][] = []
  let from = 0
  for (const [low, high] of set) {
    if (low > from) gaps.push([from, low - 1])
    from = high + 1
  }
  if (from <= highest) gaps.push([from, highest])
  return gaps
}

export function contains(set: CodePoints, point: number): boolean {
  for (const [low, high] of set) {
    if (point < low) return false
    if (point <= high) return true
  }
  return false
}

const range = (from: string, to = from): [number, number] => [
  from.codePointAt(0) ?? 0,
  to.codePointAt(0) ?? 0,
]

const digits: CodePoints = [range('0', '9')]
const wordCharacters = union([range('0', '9'), range('A', 'Z'), range('a', 'z'), range('_')])
/** WhiteSpace and LineTerminator of ECMA-262. */
const blanks = union([
  range('\t', '\r'),
  range(' '),
  range('\u00a0'),
  range('\u1680'),
  range('\u2000', '\u200a'),
  range('\u2028', '\u2029'),
  range('\u202f'),
  range('\u205f'),
  range('\u3000'),
  range('\ufeff'),
])

/** What a dot matches. */
export const anyButLineEnds = complement(union([range('\n'), range('\r'), range('\u2028', '\u2029')]))

/** By the letter after the backslash. */
export const classEscapes: { readonly [letter: string]: CodePoints | undefined } = {
  d: digits,
  D: complement(digits),
  w: wordCharacters,
  W: complement(wordCharacters),
  s: blanks,
  S: complement(blanks),
}
