import { types } from 'pg'
import { expect, test } from 'vitest'
import { createColumnTypes, isoFromTimestamp, parseNumbers } from './types.ts'

test.each([
  ['2026-01-31 23:59:59+00', '2026-01-31T23:59:59.000000Z'],
  ['2026-01-31 23:59:59.5+00', '2026-01-31T23:59:59.500000Z'],
  ['2026-01-31 23:59:59.123456+00', '2026-01-31T23:59:59.123456Z'],
  ['infinity', 'infinity'],
])('%s becomes %s', (text, iso) => {
  expect(isoFromTimestamp(text)).toBe(iso)
})

test('whole numbers and decimals lose nothing', () => {
  const columns = createColumnTypes()
  expect(columns.getTypeParser(types.builtins.INT8)('9223372036854775807')).toBe(9223372036854775807n)
  expect(columns.getTypeParser(types.builtins.NUMERIC)('0.100000000000000000001')).toBe(
    '0.100000000000000000001',
  )
  expect(columns.getTypeParser(types.builtins.DATE)('2026-01-31')).toBe('2026-01-31')
})

test('arrays of numbers stay text until they are bigints', () => {
  expect(parseNumbers('{0.1,NULL}')).toEqual(['0.1', null])
  expect(parseNumbers('{}')).toEqual([])
})
