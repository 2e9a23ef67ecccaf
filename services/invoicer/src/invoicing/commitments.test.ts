import type { Interval } from '@tidemark/schemas/calendar.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import { expect, test } from 'vitest'
import { compose, dueAt, plan, shown, subscribed } from './example-subscription.ts'

const fee = (amount: string, more: { interval?: Interval } = {}): Price => ({
  id: 'base',
  model: 'flat',
  amount,
  timing: 'advance',
  ...more,
})

const least = (id: string, amount: string, minimum: string) =>
  plan(id, [fee(amount)], { minimum: { amount: minimum } })

const changed = (to: ReturnType<typeof least>) =>
  shown(
    compose(
      dueAt(
        subscribed(
          [least('a', '100', '100'), to],
          [
            { from: '2026-06-01', plan: 'a' },
            { from: '2026-06-16', plan: 'b' },
          ],
        ),
        '2026-06-01',
      ),
    ),
  ).filter((line) => !line.startsWith('fee'))

test('a fee in advance counts towards the minimum of each plan in whose time it is used', () => {
  // The fee goes on as it was: half of it is of each plan.
  expect(changed(least('b', '100', '100'))).toEqual([])
  expect(changed(least('b', '100', '110'))).toEqual(['true-up minimum 2026-06-01 2026-07-01 5.00'])
  // What the first plan gets back is one less of its own, not of the second one's.
  expect(changed(least('b', '200', '200'))).toEqual([
    'credit base 2026-06-16 2026-07-01 -50.00',
    'charge base 2026-06-16 2026-07-01 100.00',
  ])
})

test('a fee that is returned for the time after a period asks for no minimum in it', () => {
  const yearly = plan('a', [fee('120', { interval: { unit: 'year', count: 1 } })], {
    minimum: { amount: '5' },
  })
  const subscription = subscribed(
    [yearly, plan('b', [fee('100')])],
    [
      { from: '2026-01-01', plan: 'a' },
      { from: '2026-07-01', plan: 'b' },
    ],
  )
  expect(shown(compose(dueAt(subscription, '2026-06-01')))).toEqual([
    'credit base 2026-07-01 2027-01-01 -60.49',
    'fee base 2026-07-01 2026-08-01 100.00',
    'true-up minimum 2026-06-01 2026-07-01 5.00',
  ])
})
