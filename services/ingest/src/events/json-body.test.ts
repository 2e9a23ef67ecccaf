import { expect, test } from 'vitest'
import { readJson } from './json-body.ts'
import { findJsonFault } from './json-fault.ts'

test.each([
  ['', 0],
  ['  ', 2],
  ['{', 1],
  ['{"a":1', 6],
  ['{"a":1}}', 7],
  ['{"a":1,}', 7],
  ['{,}', 1],
  ['[1,]', 3],
  ['[1 2]', 3],
  ['[1}', 2],
  ['{"a" 1}', 5],
  ['{a:1}', 1],
  ["{'a':1}", 1],
  ['{"a":01}', 6],
  ['{"a":NaN}', 5],
  ['{"a":-}', 5],
  ['{"a":1.}', 6],
  ['{"a":.5}', 5],
  ['nul', 0],
  ['"abc', 4],
  ['"a\nb"', 2],
  ['"a\\x"', 2],
  ['"a\\u12g4"', 2],
  ['[1]\n [', 5],
  ['{"a":{"b":[]},"c":}', 18],
  ['\ufeff{}', 0],
])('%j stops being JSON at %i', (text, position) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError)
  expect(findJsonFault(text)).toBe(position)
  expect(readJson(Buffer.from(text))).toMatchObject({ kind: 'not_json', position })
})

test('every text that is cut short is faulty at its end, or is JSON', () => {
  const text = JSON.stringify([{ a: [1.5e3, -2, true, null, 'x"\\ü'], b: {} }, [], 'y'])
  for (let end = 0; end < text.length; end++)
    expect(findJsonFault(text.slice(0, end))).toBeGreaterThanOrEqual(end - 4)
  expect(findJsonFault(text)).toBe(text.length)
})

test('a text with one character changed is faulty for both or for neither', () => {
  const text = '{"a":[1.5e3,-2,true,null,"x\\"\\u00e4"],"b":{},"c":0}'
  for (let at = 0; at < text.length; at++)
    for (const character of '{}[],:"\\0-.eE+ tn\u0001') {
      const changed = text.slice(0, at) + character + text.slice(at + 1)
      const isJson = readJson(Buffer.from(changed)).kind === 'json'
      const position = findJsonFault(changed)
      // A fault lies at the change or behind it; only a text that is JSON is read to its end without one.
      if (isJson) expect(position, changed).toBe(changed.length)
      else expect(position, changed).toBeGreaterThanOrEqual(Math.min(at, 1))
    }
})

test('the place is told as people count, in lines and columns', () => {
  expect(readJson(Buffer.from('[\n  1,\n  x\n]'))).toMatchObject({
    where: 'It breaks at character 9 (line 3, column 3).',
  })
})

test.each([
  [[0x22, 0xc3, 0x28, 0x22], 1],
  [[0x22, 0x80, 0x22], 1],
  [[0x22, 0xf0, 0x9f, 0x98], 1],
  // An overlong slash, and a surrogate: both are forbidden in UTF-8.
  [[0x22, 0x61, 0xc0, 0xaf, 0x22], 2],
  [[0x22, 0xc3, 0xa4, 0xed, 0xa0, 0x80, 0x22], 3],
])('bytes %j are no UTF-8 from %i on', (bytes, position) => {
  expect(readJson(Buffer.from(bytes))).toMatchObject({ kind: 'not_utf8', position })
})

test('nesting beyond any event is refused before it can overflow a stack', () => {
  const deep = (levels: number, inside: string) =>
    readJson(Buffer.from('['.repeat(levels) + inside + ']'.repeat(levels)))
  expect(deep(1_000, '12345678901234567890').kind).toBe('json')
  expect(deep(1_001, '1')).toMatchObject({ kind: 'nested_too_deep' })
  expect(deep(1_000_000, '12345678901234567890').kind).toBe('nested_too_deep')
})
