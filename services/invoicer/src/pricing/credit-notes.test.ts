import type { Decimal } from '@tidemark/schemas/decimal.ts'
import { microsOfMinorUnits } from '@tidemark/schemas/money.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocate } from './allocation.ts'
import { cappedCredit, chargedAmounts, creditNotes } from './credit-notes.ts'
import { drawDown } from './credits.ts'

const amount = fc.bigInt({ min: 0n, max: 10n ** 9n })
const rate = fc.bigInt({ min: 0n, max: 50_000n }).map((coefficient): Decimal => ({ coefficient, scale: 3 }))
const parts = fc.array(fc.bigInt({ min: 1n, max: 1000n }), { minLength: 1, maxLength: 12 })
const sum = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n)

test('a charge that is credited in parts is credited whole, its tax too, and never more', () => {
  fc.assert(
    fc.property(amount, rate, parts, (minor, taxRate, weights) => {
      const charge = { netMicros: microsOfMinorUnits(minor, 'EUR'), taxRate }
      const nets = allocate(charge.netMicros, weights, 'EUR')
      const original = chargedAmounts(charge, 'EUR')
      const notes = creditNotes(charge, nets, 'EUR')
      expect(sum(notes.map(({ totalMicros }) => totalMicros))).toBe(original.totalMicros)
      const beyond = creditNotes(charge, [...nets, 10_000n], 'EUR').at(-1)
      expect(beyond).toEqual({ netMicros: 0n, taxMicros: 0n, totalMicros: 0n })
    }),
  )
})

test('a credit never exceeds what was paid less what was credited', () => {
  const signed = fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n })
  fc.assert(
    fc.property(signed, amount, amount, (requested, paid, already) => {
      const credit = cappedCredit(requested, paid, already)
      expect(credit).toBeGreaterThanOrEqual(0n)
      if (credit > 0n) expect(already + credit).toBeLessThanOrEqual(paid)
    }),
  )
})

test('wallets give what they have, no more, until nothing is due', () => {
  const wallets = fc.array(fc.record({ priority: fc.bigInt({ min: 0n, max: 3n }), balanceMicros: amount }), {
    maxLength: 6,
  })
  fc.assert(
    fc.property(amount, wallets, (due, some) => {
      const named = some.map((wallet, index) => ({ ...wallet, id: `w${index}` }))
      const { drawn, amountDueMicros } = drawDown(due, named)
      expect(sum(drawn.map(({ amountMicros }) => amountMicros)) + amountDueMicros).toBe(due)
      const all = sum(named.map(({ balanceMicros }) => balanceMicros))
      expect(amountDueMicros).toBe(due > all ? due - all : 0n)
    }),
  )
})
