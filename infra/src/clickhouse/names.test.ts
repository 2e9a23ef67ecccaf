import { expect, test } from 'vitest'
import { checkColumns, checkTable } from './names.ts'

test('plain names pass', () => {
  expect(checkTable('t1_tidemark.usage_events')).toBe('t1_tidemark.usage_events')
  expect(checkColumns(['log', 'partition'])).toBe('log, partition')
})

test.each(['', 'a.b.c', 'a; DROP TABLE b', 'a`b', '1a'])('%j is refused', (name) => {
  expect(() => checkTable(name)).toThrow('is no name of a table or column')
  expect(() => checkColumns([name])).toThrow('is no name of a table or column')
})
