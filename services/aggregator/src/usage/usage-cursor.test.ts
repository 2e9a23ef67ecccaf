import { expect, test } from 'vitest'
import { formatUsageCursor, parseUsageCursor } from './usage-cursor.ts'

const cursor = { cut: [{ log: 1, partition: 0, offset: 2n ** 63n }], completeUntil: 17, offset: 3 }

test('a cursor comes back as it went out, for its own question only', () => {
  const text = formatUsageCursor(cursor, 'q')
  expect(parseUsageCursor(text, 'q')).toEqual(cursor)
  expect(parseUsageCursor(text, 'r')).toBeUndefined()
})

test.each([
  'abc',
  '',
  Buffer.from('{"question":"q","cut":"x","offset":1,"completeUntil":1}').toString('base64url'),
  Buffer.from('{"question":"q","cut":"","offset":-1,"completeUntil":1}').toString('base64url'),
  Buffer.from('null').toString('base64url'),
])('what is no cursor is none: %s', (text) => {
  expect(parseUsageCursor(text, 'q')).toBeUndefined()
})
