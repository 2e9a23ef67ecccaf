import type { Price } from '@tidemark/schemas/price.ts'
import { expect, test } from 'vitest'
import { compose, dueAt, plan, seats, subscribed } from './example-subscription.ts'

const invoiced = (price: Price, quantity: string) => () =>
  compose(
    dueAt(
      subscribed([plan('a', [price])], [{ from: '2026-10-01', plan: 'a', ...seats(quantity) }]),
      '2026-10-01',
    ),
  )

test('amounts that no table could hold are refused, the largest that a price can have are not', () => {
  expect(invoiced({ id: 'fee', model: 'flat', amount: '999999999999.99' }, '1')).not.toThrow()
  const seat = { id: 'seat', model: 'per-unit' as const, unitPrice: '999999999999' }
  expect(invoiced(seat, '1')).not.toThrow()
  expect(invoiced(seat, '2')).toThrow('amount_too_large')
})
