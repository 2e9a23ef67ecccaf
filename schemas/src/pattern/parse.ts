import { anyButLineEnds, type CodePoints, classEscapes, complement, union } from './code-points.ts'

/** A pattern as a tree; `most` may be Infinity. */
export type Pattern =
  | { readonly kind: 'one'; readonly of: CodePoints }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly least: number; readonly most: number }

/** What is wrong with a pattern. */
export class PatternFault extends Error {}

/** Groups in groups; beyond it the parser's own calls would run out. */
const deepestGroups = 16
const highestCount = 1_000

const literalEscapes = new Set('^$\\.*+?()[]{}|/')
const controlEscapes: { readonly [letter: string]: number | undefined } = {
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '0': 0,
}

/**
 * Reads a regular expression of ECMA-262 (with the flag u), as far as it can be matched in linear time: neither
 * look-around nor back-references nor word boundaries.
 * @throws PatternFault
 */
export function parsePattern(source: string): Pattern {
  const text = [...source]
  let at = 0
  let depth = 0

  const fail = (reason: string): never => {
    throw new PatternFault(reason)
  }
  const take = (wanted: string): boolean => {
    if (text[at] !== wanted) return false
    at++
    return true
  }

  function choice(): Pattern {
    const parts = [sequence()]
    while (take('|')) parts.push(sequence())
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'choice', parts }
  }

  function sequence(): Pattern {
    const parts: Pattern[] = []
    while (at < text.length && text[at] !== '|' && text[at] !== ')') parts.push(repeated())
    return { kind: 'sequence', parts }
  }

  function repeated(): Pattern {
    const part = atom()
    const count = readCount()
    if (count === undefined) return part
    if (part.kind === 'begin' || part.kind === 'end') return fail('repeats ^ or $')
    // Lazy or greedy changes what a match holds, not whether there is one.
    take('?')
    if (readCount() !== undefined) return fail('repeats a repetition')
    return { kind: 'repeat', part, ...count }
  }

  function readCount(): { least: number; most: number } | undefined {
    if (take('*')) return { least: 0, most: Number.POSITIVE_INFINITY }
    if (take('+')) return { least: 1, most: Number.POSITIVE_INFINITY }
    if (take('?')) return { least: 0, most: 1 }
    if (text[at] !== '{') return undefined
    const [whole, low = '', comma, high] =
      /^\{(\d{1,4})(?:(,)(\d{1,4})?)?\}/.exec(text.slice(at, at + 12).join('')) ??
      fail('has a { that begins no count such as {2,5}; write \\{ for the character')
    at += whole.length
    const least = Number(low)
    const most = comma === undefined ? least : high === undefined ? Number.POSITIVE_INFINITY : Number(high)
    if (least > most) return fail(`counts down: ${whole}`)
    if (least > highestCount || (most > highestCount && most !== Number.POSITIVE_INFINITY))
      return fail(`counts beyond ${highestCount}: ${whole}; bound the length by maxLength`)
    return { least, most }
  }

  function atom(): Pattern {
    const character = text[at++] ?? ''
    switch (character) {
      case '^':
        return { kind: 'begin' }
      case '$':
        return { kind: 'end' }
      case '.':
        return { kind: 'one', of: anyButLineEnds }
      case '(':
        return group()
      case '[':
        return { kind: 'one', of: characterClass() }
      case '\\': {
        const escaped = readEscape()
        return { kind: 'one', of: typeof escaped === 'number' ? [[escaped, escaped]] : escaped }
      }
      case '*':
      case '+':
      case '?':
        return fail(`repeats nothing with ${character}; write \\${character} for the character`)
      case '{':
      case '}':
      case ']':
        return fail(`has a single ${character}; write \\${character} for the character`)
      default:
        return { kind: 'one', of: [[codeOf(character), codeOf(character)]] }
    }
  }

  function group(): Pattern {
    if (take('?') && !take(':')) return fail('looks around or names a group; use plain groups (…) or (?:…)')
    if (++depth > deepestGroups) return fail(`nests groups deeper than ${deepestGroups}`)
    const inner = choice()
    depth--
    return take(')') ? inner : fail('has a ( without its )')
  }

  function readEscape(): number | CodePoints {
    const letter = text[at++] ?? fail('ends with a backslash')
    const set = Object.hasOwn(classEscapes, letter) ? classEscapes[letter] : undefined
    if (set) return set
    const control = Object.hasOwn(controlEscapes, letter) ? controlEscapes[letter] : undefined
    if (control !== undefined) return control
    if (letter === 'x' || letter === 'u') return codeEscape(letter)
    if (literalEscapes.has(letter)) return codeOf(letter)
    return fail(`uses \\${letter}, which is not known here`)
  }

  function codeEscape(letter: string): number {
    const rest = text.slice(at, at + 10).join('')
    const found =
      letter === 'x' ? /^([\da-f]{2})/i.exec(rest) : /^(?:([\da-f]{4})|\{([\da-f]{1,6})\})/i.exec(rest)
    const code = Number.parseInt(found?.[1] ?? found?.[2] ?? '', 16)
    if (!found || !(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff))
      return fail(`has \\${letter} without the code of a character`)
    at += found[0].length
    return code
  }

  function characterClass(): CodePoints {
    const negated = take('^')
    const ranges: (readonly [number, number])[] = []
    while (!take(']')) {
      const low = classMember()
      // A hyphen before the end stands for itself.
      const isRange = text[at] === '-' && text[at + 1] !== ']' && text[at + 1] !== undefined
      if (!isRange) {
        ranges.push(...(typeof low === 'number' ? [[low, low] as const] : low))
        continue
      }
      at++
      const high = classMember()
      if (typeof low !== 'number' || typeof high !== 'number')
        return fail('has a range of characters that begins or ends with a class; write \\- for the hyphen')
      if (low > high) return fail('has a range of characters that runs backwards')
      ranges.push([low, high])
    }
    return negated ? complement(union(ranges)) : union(ranges)
  }

  function classMember(): number | CodePoints {
    const character = text[at++] ?? fail('has a [ without its ]')
    if (character !== '\\') return codeOf(character)
    if (take('-')) return codeOf('-')
    if (take('b')) return 8
    return readEscape()
  }

  const pattern = choice()
  return at < text.length ? fail('has a ) without its (') : pattern
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0
