import { expect, test } from 'vitest'
import { isoFromTimestamp, parseNumbers } from './types.ts'

test.each([
  ['2026-01-31 23:59:59+00', '2026-01-31T23:59:59.000000Z'],
  ['2026-01-31 23:59:59.5+00', '2026-01-31T23:59:59.500000Z'],
  ['2026-01-31 23:59:59.123456+00', '2026-01-31T23:59:59.123456Z'],
  ['infinity', 'infinity'],
])('%s becomes %s', (text, iso) => {
  expect(isoFromTimestamp(text)).toBe(iso)
})

test('arrays of numbers stay text until they are bigints', () => {
  expect(parseNumbers('{0.1,NULL}')).toEqual(['0.1', null])
  expect(parseNumbers('{}')).toEqual([])
})
