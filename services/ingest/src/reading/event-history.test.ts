import { expect, test } from 'vitest'
import { type HistoryRow, versionsOf } from './event-history.ts'

const rows = (...given: [HistoryRow['verdict'], string?][]): HistoryRow[] =>
  given.map(([verdict, type = 'request']) => ({ verdict, type }))

const told = (given: HistoryRow[]) =>
  versionsOf(given).map(({ row, action, supersededBy }) => [
    given.indexOf(row),
    action,
    supersededBy && given.indexOf(supersededBy),
  ])

test('each version stands until the next one, whatever else came between them', () => {
  const given = rows(
    ['rejected'],
    ['accepted'],
    ['duplicate'],
    ['correction'],
    ['conflict'],
    ['correction', ''],
    ['rejected'],
    ['correction'],
  )
  expect(told(given)).toEqual([
    [1, 'none', 3],
    [3, 'correct', 5],
    [5, 'void', 7],
    [7, 'correct', undefined],
  ])
})

test('an identity that is accepted again is another event, and its corrections are not those of the first', () => {
  expect(told(rows(['accepted'], ['accepted'], ['correction', '']))).toEqual([[0, 'none', undefined]])
})

test('what was never accepted has no history', () => {
  expect(told(rows(['rejected'], ['rejected']))).toEqual([])
})
