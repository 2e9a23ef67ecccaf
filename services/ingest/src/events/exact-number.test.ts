import { expect, test } from 'vitest'
import { InexactNumber, parseExactly, scanJson, survives } from './exact-number.ts'

const scan = (text: string) => scanJson(Buffer.from(text))

test.each([
  '0',
  '-0',
  '-0.0',
  '0.1',
  '1.50',
  '100',
  '1e3',
  '1E+3',
  '1.5e-7',
  '0.0000001',
  '9007199254740991',
  '-9007199254740991',
  '1234567890123456',
  '123456789.123456',
  '1000000000000000.0',
  '0.100000000000000000000',
  '1e15',
  '1e-40',
])('%s survives', (text) => {
  expect(survives(text, JSON.parse(text))).toBe(true)
})

test.each([
  '9007199254740992',
  '9007199254740993',
  '12345678901234567890',
  '-12345678901234567890',
  '0.1234567890123456',
  '123456789.12345678',
  '0.1000000000000000055',
  '1e16',
  '1e400',
  '-1e400',
  '1e-41',
  '1e-400',
  '9007199254740991.5',
])('%s does not', (text) => {
  expect(survives(text, JSON.parse(text))).toBe(false)
})

test('only what looks dangerous outside of strings is suspected', () => {
  for (const text of [
    '1234567890123456',
    '[0.12345678901234567]',
    '{"a":1e3}',
    '2E5',
    '{"a":[1,12345678.12345678]}',
  ])
    expect(scan(text).suspicious, text).toBe(true)
  for (const text of [
    '123456789012345',
    '{"1e3":"12345678901234567890"}',
    '["3f2a1e40-9c1b-4f7a"]',
    '"\\"1e5"',
    '["\\\\",true,false,null]',
    '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]',
  ])
    expect(scan(text).suspicious, text).toBe(false)
})

test('depth counts levels, not brackets inside strings', () => {
  expect(scan('7').depth).toBe(0)
  expect(scan('{"a":[{"b":"[[[["}],"c":{}}').depth).toBe(3)
})

test('an exact parse leaves everything as it is but the numbers that would change', () => {
  expect(parseExactly('{"a":[1,1e2,12345678901234567890,"x",null,true],"b":0.5}')).toEqual({
    a: [1, 100, new InexactNumber('12345678901234567890'), 'x', null, true],
    b: 0.5,
  })
})
