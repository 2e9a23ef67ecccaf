import { coefficientAt, decimal, formatDecimal, round } from '@tidemark/schemas/decimal.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import { expect, test } from 'vitest'
import { createCarry, type Movement, type Span } from './carry.ts'

const at = (text: string): number => parseInstant(`2026-${text}Z`) ?? Number.NaN
const units = (text: string): bigint => coefficientAt(decimal(text), 9)

/** Steps of one series, told as changes of its level. */
function movementOf(steps: readonly [string, string][], before = '0'): Movement {
  let level = units(before)
  let peak: bigint | undefined
  for (const [, change] of steps) {
    level += units(change)
    peak = peak === undefined || level > peak ? level : peak
  }
  const [first] = steps
  return {
    change: level - units(before),
    moment: steps.reduce((sum, [time, change]) => sum + units(change) * BigInt(at(time)), 0n),
    started: 1,
    peak,
    firstAt: first && at(first[0]),
  }
}

const may = { start: at('05-01T00:00:00'), end: at('06-01T00:00:00') }
const day = 86_400_000_000
const daysOf = ({ start, end }: Span): Span[] =>
  Array.from({ length: (end - start) / day }, (_, n) => ({
    start: start + n * day,
    end: start + (n + 1) * day,
  }))
const whole = { ...may, days: [may] }
const text = (value: ReturnType<ReturnType<typeof createCarry>['next']>) => value && formatDecimal(value)

test('a level counts for the share of the window in which it stood', () => {
  const carry = createCarry('time-weighted-sum', 0n)
  const movement = movementOf([
    ['05-01T00:00:00', '31'],
    ['05-31T00:00:00', '31'],
  ])
  expect(text(carry.next(whole, () => movement))).toBe('32')
  const june = { start: may.end, end: at('06-11T00:00:00') }
  expect(text(carry.next({ ...june, days: [june] }, () => undefined))).toBe('62')
})

test('changes count by the days that are left, what was there before counts fully', () => {
  const carry = createCarry('prorated-sum', units('5'))
  const movement = movementOf([['05-26T00:00:00', '24']])
  const value = carry.next({ ...may, days: daysOf(may) }, ({ start }) =>
    start === at('05-26T00:00:00') ? movement : undefined,
  )
  expect(value && formatDecimal(round(value, 5))).toBe('9.64516')
})

test('before its first event a series has no level, and from then on it always has one', () => {
  const carry = createCarry('time-weighted-sum', units('5'))
  expect(carry.next(whole, () => undefined)).toBeUndefined()
  const begins = { ...movementOf([]), peak: undefined, firstAt: undefined }
  expect(text(carry.next(whole, () => begins))).toBe('5')
  expect(text(carry.next(whole, () => undefined))).toBe('5')
})

test('a peak that is left the instant it is carried in does not count, and one in between does', () => {
  const next = (steps: [string, string][]) => {
    const carry = createCarry('time-weighted-max', units('1'))
    carry.skip(movementOf([['04-01T00:00:00', '9']]))
    return text(carry.next(whole, () => ({ ...movementOf(steps, '9'), started: 0 })))
  }
  expect(next([['05-01T00:00:00', '-4']])).toBe('6')
  expect(next([['05-01T00:00:01', '-4']])).toBe('10')
  expect(
    next([
      ['05-02T00:00:00', '0.5'],
      ['05-03T00:00:00', '-8'],
    ]),
  ).toBe('10.5')
})
