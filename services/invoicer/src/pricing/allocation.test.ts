import { currencies, microsOfMinorUnits } from '@tidemark/schemas/money.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allocate, allocateRounded } from './allocation.ts'
import { roundQuotient } from './fraction.ts'

const currency = fc.constantFrom(...currencies)
const many = 10n ** 12n
const minor = fc.bigInt({ min: -many, max: many })
const weights = fc.array(fc.bigInt({ min: 0n, max: many }), { minLength: 1, maxLength: 30 })
const sum = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n)

describe('by largest remainder', () => {
  test('parts sum to the total, each at most a minor unit from its exact share', () => {
    fc.assert(
      fc.property(minor, weights, currency, (units, shares, money) => {
        const total = sum(shares) === 0n ? 0n : microsOfMinorUnits(units, money)
        const parts = allocate(total, shares, money)
        expect(sum(parts)).toBe(total)
        const unit = microsOfMinorUnits(1n, money)
        for (const [index, part] of parts.entries()) {
          expect(part % unit).toBe(0n)
          const apart = part * sum(shares) - total * (shares[index] ?? 0n)
          if (sum(shares) > 0n) expect(apart < 0n ? -apart : apart).toBeLessThan(unit * sum(shares))
        }
      }),
    )
  })

  test('a negative total is split as its opposite is, and so are opposite weights', () => {
    fc.assert(
      fc.property(minor, weights, (units, shares) => {
        fc.pre(sum(shares) > 0n)
        const total = microsOfMinorUnits(units, 'EUR')
        const parts = allocate(total, shares, 'EUR')
        expect(allocate(-total, shares, 'EUR')).toEqual(parts.map((part) => -part))
        const opposite = shares.map((share) => -share)
        expect(allocate(total, opposite, 'EUR')).toEqual(parts)
      }),
    )
  })

  test('exact parts of both signs each keep their own, rounded', () => {
    const signed = fc.array(fc.bigInt({ min: -many, max: many }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(signed, fc.bigInt({ min: 1n, max: 10_000n }), currency, (exact, denominator, money) => {
        const total = roundQuotient(sum(exact), denominator, money)
        const parts = allocateRounded(total, exact, denominator, money)
        expect(sum(parts)).toBe(total)
        const unit = microsOfMinorUnits(1n, money)
        const isMixed = exact.some((part) => part < 0n) && exact.some((part) => part > 0n)
        for (const [index, part] of parts.entries()) {
          const apart = part * denominator - (exact[index] ?? 0n)
          if (isMixed) expect(apart < 0n ? -apart : apart).toBeLessThanOrEqual(unit * denominator)
        }
      }),
    )
  })

  test('of equal remainders the earlier gets the unit', () => {
    expect(allocate(10_000_000n, [1n, 1n, 1n], 'USD')).toEqual([3_340_000n, 3_330_000n, 3_330_000n])
    expect(allocate(-100_000_000n, [1n, 1n, 1n], 'JPY')).toEqual([-34_000_000n, -33_000_000n, -33_000_000n])
  })

  test('a total without weights is refused', () => {
    expect(() => allocate(10_000n, [0n, 0n], 'EUR')).toThrow(RangeError)
    expect(() => allocate(10_000n, [], 'EUR')).toThrow(RangeError)
    expect(allocate(0n, [], 'EUR')).toEqual([])
  })
})
