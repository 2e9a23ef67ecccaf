import { expect, test } from 'vitest'
import { judge } from './judge.ts'

const tolerance = { roundingMinorUnits: 2 }
const usd = (amount: string) => ({ amount, currency: 'USD' })

test('equal amounts are exact, however they are written', () => {
  expect(judge(usd('12.5'), usd('12.50'), tolerance)).toMatchObject({ cause: 'exact', difference: '0' })
})

test('a difference within the tolerance is rounding, one beyond is unexplained', () => {
  expect(judge(usd('12.50'), usd('12.52'), tolerance)).toMatchObject({
    cause: 'rounding',
    difference: '0.02',
  })
  expect(judge(usd('12.50'), usd('12.48'), tolerance)).toMatchObject({
    cause: 'rounding',
    difference: '-0.02',
  })
  expect(judge(usd('12.50'), usd('12.53'), tolerance)).toMatchObject({
    cause: 'unexplained',
    difference: '0.03',
  })
})

test('the tolerance counts in the currency’s own minor unit', () => {
  const yen = (amount: string) => ({ amount, currency: 'JPY' })
  expect(judge(yen('100'), yen('102'), tolerance).cause).toBe('rounding')
  expect(judge(yen('100'), yen('103'), tolerance).cause).toBe('unexplained')
  expect(
    judge({ amount: '1.000', currency: 'KWD' }, { amount: '1.003', currency: 'KWD' }, tolerance).cause,
  ).toBe('unexplained')
})

test('another currency is never compared by amount', () => {
  expect(judge(usd('1'), { amount: '1', currency: 'EUR' }, tolerance).cause).toBe('currency')
})

test('a side that stays alone is missing in the other', () => {
  expect(judge(usd('7'), undefined, tolerance)).toMatchObject({ cause: 'missing_in_new', difference: '-7' })
  expect(judge(undefined, usd('7'), tolerance)).toMatchObject({ cause: 'missing_in_old', difference: '7' })
})
