import { currencies } from '@tidemark/schemas/money.ts'
import { expect, test } from 'vitest'
import { minorOfStripe, payableMinor, stripeAmount } from './amounts.ts'

test.each([
  ['USD', 1_099n, 1_099n, 1_099n],
  ['JPY', 500n, 500n, 500n],
  ['HUF', 1_045n, 1_045n, 1_045n],
  ['ISK', 5n, 500n, 5n],
  ['UGX', 5n, 500n, 5n],
  ['MGA', 150n, 2n, 200n],
  ['MGA', 149n, 1n, 100n],
  ['KWD', 5_124n, 5_120n, 5_120n],
  ['KWD', 5_125n, 5_130n, 5_130n],
  ['BHD', 4n, 0n, 0n],
] as const)('%s %i minor units', (currency, minor, asked, paid) => {
  expect(stripeAmount(minor, currency)).toBe(asked)
  expect(minorOfStripe(asked, currency.toLowerCase())).toBe(paid)
  expect(payableMinor(minor, currency)).toBe(paid)
})

test('what can be collected is collected whole the second time, in every currency', () => {
  for (const currency of currencies)
    for (const minor of [1n, 5n, 995n, 1_004n, 99_999_999n]) {
      const payable = payableMinor(minor, currency)
      expect(payableMinor(payable, currency), `${currency} ${minor}`).toBe(payable)
    }
})
