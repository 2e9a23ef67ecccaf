import { expect, test } from 'vitest'
import { figureOf, medianOf } from './figure.ts'

test('a figure holds the median, its spread and its share of the ceiling', () => {
  expect(figureOf('http', 'events/s', [300.4, 100, 200], { limit: 400 })).toEqual({
    name: 'http',
    unit: 'events/s',
    median: 200,
    min: 100,
    max: 300,
    limit: 400,
    ratio: 0.5,
  })
})

test('percentiles are of all requests, in milliseconds', () => {
  const latenciesMicros = Array.from({ length: 100 }, (_, at) => (100 - at) * 1000)
  expect(figureOf('http', 'events/s', [1], { latenciesMicros })).toMatchObject({ p50Ms: 51, p99Ms: 100 })
})

test('the median of an even number of samples lies between the middle two', () => {
  expect(medianOf([4, 1, 3, 2])).toBe(2.5)
})
