import { expect, test } from 'vitest'
import { formatPeriod, monthlyPeriodAt, nextMonthlyPeriod } from './billing-period.ts'
import { parseInstant } from './instant.ts'

const at = (text: string) => parseInstant(text) ?? Number.NaN

test('the end of the month is clamped without drift', () => {
  let period = monthlyPeriodAt(at('2026-01-31T12:00:00Z'), 31, 'UTC')
  const starts = [formatPeriod(period).start.slice(0, 10)]
  for (let month = 0; month < 3; month++) {
    period = nextMonthlyPeriod(period, 31, 'UTC')
    starts.push(formatPeriod(period).start.slice(0, 10))
  }
  expect(starts).toEqual(['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30'])
})

test('boundaries are midnights of the customer’s zone, daylight saving included', () => {
  expect(formatPeriod(monthlyPeriodAt(at('2026-03-15T00:00:00Z'), 1, 'Europe/Berlin'))).toEqual({
    start: '2026-02-28T23:00:00.000000Z',
    end: '2026-03-31T22:00:00.000000Z',
  })
  expect(formatPeriod(monthlyPeriodAt(at('2026-03-31T18:30:00Z'), 1, 'Asia/Kolkata')).start).toBe(
    '2026-03-31T18:30:00.000000Z',
  )
})

test('a period contains its start and not its end', () => {
  const period = monthlyPeriodAt(at('2026-05-01T00:00:00Z'), 1, 'UTC')
  expect(monthlyPeriodAt(period.start, 1, 'UTC')).toEqual(period)
  expect(monthlyPeriodAt(period.end, 1, 'UTC').start).toBe(period.end)
  expect(monthlyPeriodAt(period.end - 1, 1, 'UTC')).toEqual(period)
})
