import { expect, test } from 'vitest'
import { parseUsageRequest } from './usage-request.ts'

const meter = { key: 'calls', eventType: 'api.call', aggregation: 'count' } as const
const range = { from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' }

test('a parameter that is given twice is refused: half of a question would be answered otherwise', () => {
  for (const field of ['from', 'cursor', 'limit', 'groupBy'])
    expect(() => parseUsageRequest({ ...range, [field]: ['a', 'b'] }, meter)).toThrow(
      `${field} is given more than once`,
    )
})

const usageOf = (query: object, of: object = meter) =>
  parseUsageRequest({ ...range, ...query }, { ...meter, dimensions: { region: 'region' }, ...of })

test('subjects and values of dimensions may be several, and are one question in any order', () => {
  const { subjects, filters } = usageOf({ subject: ['b', 'a', 'b'], 'filter.region': 'eu' })
  expect(subjects).toEqual(['a', 'b'])
  expect([...filters]).toEqual([['region', ['eu']]])
  expect(() => usageOf({ subject: Array.from({ length: 101 }, (_, index) => `${index}`) })).toThrow(
    'at most 100',
  )
  expect(() => usageOf({ 'filter.color': 'red' })).toThrow('filter.region')
})

test('a carried level begins at a whole second', () => {
  const from = '2026-11-01T00:00:00.5Z'
  expect(usageOf({ from }).from % 1_000_000).toBe(500_000)
  expect(() => usageOf({ from }, { aggregation: 'time-weighted-sum' })).toThrow('whole second')
})

test('windows of minutes are bounded', () => {
  expect(usageOf({ window: 'minute' }).windowStarts).toHaveLength(1_440)
  expect(() => usageOf({ window: 'minute', to: '2026-12-01T00:00:00Z' })).toThrow('more than 9600 windows')
})
