import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import type { Aggregation } from '@tidemark/schemas/meter.ts'
import { expect, test } from 'vitest'
import { combine, noReadings, quantityOf, type Readings } from './readings.ts'

const reading = (text: string, time: number, id: string): Readings => {
  const value = decimal(text)
  return { count: 1n, sum: value, least: value, greatest: value, latest: { time, source: 's', id, value } }
}

const readings = [
  reading('5', 1, 'a'),
  reading('-2.5', 3, 'b'),
  reading('4.000000001', 3, 'ä'),
  reading('9', 2, 'z'),
]

test.each<[Aggregation, string, string]>([
  ['sum', '15.500000001', '0'],
  ['min', '-2.5', '0'],
  ['max', '9', '0'],
  ['latest', '4.000000001', '0'],
  ['average', '3.87500000025', '0'],
])('%s of the whole, however it is divided', (aggregation, whole, ofNothing) => {
  const orders = [readings, readings.toReversed(), [...readings.slice(2), ...readings.slice(0, 2)]]
  for (const order of orders)
    expect(formatDecimal(quantityOf({ aggregation }, order.reduce(combine, noReadings)))).toBe(whole)
  const [head = noReadings, ...tail] = readings
  expect(formatDecimal(quantityOf({ aggregation }, combine(head, tail.reduce(combine, noReadings))))).toBe(
    whole,
  )
  expect(formatDecimal(quantityOf({ aggregation }, noReadings))).toBe(ofNothing)
})
