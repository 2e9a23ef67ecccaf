import { parseInstant } from '@tidemark/schemas/instant.ts'
import { expect, test } from 'vitest'
import { daysOf, hourAt, hoursOf, planHours } from './hour-plan.ts'

const at = (text: string): number => parseInstant(text) ?? Number.NaN
const hour = (number: number): number => at('2026-10-05T00:00:00Z') / 1_000_000 + number * 3600

const range = { from: at('2026-10-05T01:00:00Z'), to: at('2026-10-05T05:00:00Z') }
const plan = (sealed: number[], stale: number[], starts: string[] = [], asked = range) =>
  planHours(asked, starts.map(at), {
    sealed: new Set(sealed.map(hour)),
    stale: new Set(stale.map(hour)),
  })

test('a range touches the hours of its ends, but not the hour that begins where it ends', () => {
  expect(hoursOf(range)).toEqual([1, 2, 3, 4].map(hour))
  expect(hoursOf({ ...range, to: range.to + 1 })).toEqual([1, 2, 3, 4, 5].map(hour))
  expect(hourAt(range.to - 1)).toBe(hour(4))
})

test('sealed hours are read sealed, stale ones raw, and those that are neither not at all', () => {
  expect(plan([1, 2, 3], [3])).toEqual({ raw: [hour(3)], sealed: [1, 2].map(hour) })
  expect(plan([], [2])).toEqual({ raw: [hour(2)], sealed: [] })
})

test('an hour that a window or an end of the range divides is not read sealed', () => {
  const asked = { from: range.from + 1, to: range.to - 1 }
  expect(plan([1, 2, 3, 4], [], ['2026-10-05T02:30:00Z', '2026-10-05T03:00:00Z'], asked)).toEqual({
    raw: [1, 2, 4].map(hour),
    sealed: [hour(3)],
  })
})

test('days are those that the hours lie in', () => {
  expect(daysOf([hour(-1), hour(0), hour(1)])).toEqual(['2026-10-04', '2026-10-05'])
})
