import { expect, test } from 'vitest'
import { createMatcher } from './matcher.ts'
import { PatternFault } from './parse.ts'

/** Numbers from 0 up to below a bound, the same ones each time. */
function createChoice(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

const atoms = [
  'a',
  'b',
  'c',
  '.',
  '[ab]',
  '[^a]',
  '[a-c_]',
  '\\d',
  '\\w',
  '\\s',
  '\\.',
  '[\\]\\-x]',
  '\\u{1F600}',
  '1',
]
const counts = ['', '', '', '*', '+', '?', '*?', '{2}', '{1,3}', '{0,2}', '{2,}']
const letters = ['a', 'b', 'c', '1', '.', ' ', 'x', '-', '😀', '\n', '_']

function randomPattern(choose: (bound: number) => number, depth: number): string {
  const part = (): string => {
    const kind = depth > 0 ? choose(6) : choose(4)
    const atom =
      kind < 4
        ? (atoms[choose(atoms.length)] ?? '')
        : `(${kind === 4 ? '?:' : ''}${randomPattern(choose, depth - 1)})`
    return atom + counts[choose(counts.length)]
  }
  const sequence = () => Array.from({ length: choose(4) }, part).join('')
  const choices = Array.from({ length: 1 + choose(2) }, sequence).join('|')
  if (choose(5) === 0) return `^(?:${choices})$`
  return `${choose(5) === 0 ? '^' : ''}${choices}${choose(5) === 0 ? '$' : ''}`
}

test('it says of 2,000 random patterns what RegExp says', () => {
  const choose = createChoice(7)
  for (let round = 0; round < 2_000; round++) {
    const source = randomPattern(choose, 2)
    const matches = createMatcher(source)
    const expected = new RegExp(source, 'u')
    for (let text = 0; text < 6; text++) {
      const given = Array.from({ length: choose(9) }, () => letters[choose(letters.length)]).join('')
      expect({ source, given, matches: matches(given) }).toEqual({
        source,
        given,
        matches: expected.test(given),
      })
    }
  }
})

test.each(['^', '$', '', '^$', 'a|', '()', '(?:)*', '(a*)*', '^a|b$', '(^a|b)c', '[]', '[^]', 'a$b', '\\/'])(
  'it says of the odd pattern %j what RegExp says',
  (source) => {
    for (const text of ['', 'a', 'b', 'ab', 'ac', 'bc', 'abc', '/', 'a\nb'])
      expect([text, createMatcher(source)(text)]).toEqual([text, new RegExp(source, 'u').test(text)])
  },
)

test('text that has many ways to match takes no longer than any other', () => {
  const text = 'a'.repeat(20_000)
  for (const source of ['^(a+)+$', '(a|a)*b', '(a|aa)+$', 'a*a*a*a*b', '([a-z]+)*\\d'])
    expect(createMatcher(source)(`${text}!`)).toBe(new RegExp(source, 'u').test('a!'))
  // As many places in the pattern as there are states that would have to be kept.
  expect(createMatcher('(a|b)*a(a|b){12}c')('ab'.repeat(5_000))).toBe(false)
})

test.each([
  ['(a', 'has a ( without its )'],
  ['a)', 'has a ) without its ('],
  ['[a', 'has a [ without its ]'],
  ['*a', 'repeats nothing with *'],
  ['a**', 'repeats a repetition'],
  ['^*', 'repeats ^ or $'],
  ['a{3,2}', 'counts down'],
  ['a{2000}', 'counts beyond 1000'],
  ['a{x}', 'begins no count'],
  ['a}', 'a single }'],
  ['(?=a)', 'looks around'],
  ['(?<n>a)', 'looks around or names a group'],
  ['(a)\\1', 'uses \\1'],
  ['\\bword', 'uses \\b'],
  ['\\p{L}', 'uses \\p'],
  ['\\u{110000}', 'without the code of a character'],
  ['\\ud800', 'without the code of a character'],
  ['[b-a]', 'runs backwards'],
  ['[\\d-z]', 'begins or ends with a class'],
  ['a\\', 'ends with a backslash'],
  ['('.repeat(20) + ')'.repeat(20), 'nests groups deeper than 16'],
])('%s is refused: it %s', (source, reason) => {
  expect(() => createMatcher(source)).toThrow(PatternFault)
  expect(() => createMatcher(source)).toThrow(reason)
})
