import { readdirSync, readFileSync } from 'node:fs'
import {
  add,
  compare,
  type Decimal,
  decimal,
  formatDecimal,
  subtract,
  zero,
} from '@tidemark/schemas/decimal.ts'
import { currencies, formatMicros, microsOfMinorUnits } from '@tidemark/schemas/money.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aggregate, type DatedEvent } from './aggregation.ts'
import { anyPrice, anyQuantity, priceOf, quantifiedModels } from './price-arbitrary.ts'
import { unsoundFields } from './price-faults.ts'
import { ratePrice } from './rate.ts'

const exactOf = (price: Price, quantity: Decimal, already?: Decimal): Decimal =>
  ratePrice(price, { quantity, ...(already && { already }) }, 'EUR').exact
const sum = (values: readonly Decimal[]) => values.reduce(add, zero)
const text = (value: Decimal) => formatDecimal(value)

describe.each(quantifiedModels)('%s', (model) => {
  test('a period cut into any segments that carry on costs what it costs whole', () => {
    // A volume price prices each segment in the tier reached so far: what was billed before stays.
    if (model === 'volume') return
    fc.assert(
      fc.property(
        priceOf[model],
        fc.array(anyQuantity, { minLength: 1, maxLength: 6 }),
        (price, segments) => {
          const amounts = segments.map((quantity, index) =>
            exactOf(price, quantity, index === 0 ? undefined : sum(segments.slice(0, index))),
          )
          expect(text(sum(amounts))).toBe(text(exactOf(price, sum(segments))))
        },
      ),
    )
  })

  test('more usage never costs less', () => {
    // A volume price falls where a cheaper tier begins: that is what it is for.
    if (model === 'volume') return
    fc.assert(
      fc.property(priceOf[model], anyQuantity, anyQuantity, (price, some, more) => {
        expect(compare(exactOf(price, add(some, more)), exactOf(price, some))).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('is sound, and is rounded once to whole minor units of any currency', () => {
    fc.assert(
      fc.property(
        priceOf[model],
        anyQuantity,
        fc.constantFrom(...currencies),
        (price, quantity, currency) => {
          expect(unsoundFields(price, 'EUR')).toEqual([])
          const { exact, amountMicros } = ratePrice(price, { quantity }, currency)
          const unit = microsOfMinorUnits(1n, currency)
          expect(amountMicros % unit).toBe(0n)
          const apart = subtract(decimal(formatMicros(amountMicros, currency)), exact)
          const twice =
            apart.coefficient < 0n
              ? { ...apart, coefficient: -2n * apart.coefficient }
              : { ...apart, coefficient: 2n * apart.coefficient }
          expect(compare(twice, { coefficient: unit, scale: 6 })).toBeLessThanOrEqual(0)
        },
      ),
    )
  })
})

test('however usage is split into events, repeated and ordered, it costs the same', () => {
  const events = fc.array(
    fc.record({ value: anyQuantity.map(text), time: fc.integer({ min: 0, max: 99 }) }),
    {
      minLength: 1,
      maxLength: 20,
    },
  )
  fc.assert(
    fc.property(anyPrice, events, fc.infiniteStream(fc.nat()), (price, given, random) => {
      const sent = given.map(
        (event, index): DatedEvent => ({ ...event, id: `${index}`, properties: {}, times: 1n }),
      )
      const repeated = sent.filter(() => (random.next().value ?? 0) % 2 === 0)
      const delivered = [...sent, ...repeated]
        .map((event) => [random.next().value ?? 0, event] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, event]) => event)
      const quantityOf = (some: readonly DatedEvent[]) =>
        aggregate({ type: 'sum' }, { start: 0, end: 100 }, 'UTC', some).get('') ?? zero
      expect(text(exactOf(price, quantityOf(delivered)))).toBe(text(exactOf(price, quantityOf(sent))))
    }),
  )
})

describe('no value passes through a float', () => {
  test('beyond 2^53, and with 29 digits and 9 decimals, the last digit counts', () => {
    const tiers = [
      { upTo: '9007199254740993', unitPrice: '0.000000000001' },
      { upTo: null, unitPrice: '123456789012.123456789012' },
    ]
    const price: Price = { id: 'p', model: 'graduated', meter: 'm', tiers }
    expect(text(exactOf(price, decimal('9007199254740993')))).toBe('9007.199254740993')
    const large = decimal('99999999999999999999999999999.999999999')
    const step = decimal('0.000000001')
    const grown = subtract(exactOf(price, add(large, step)), exactOf(price, large))
    expect(text(grown)).toBe('123.456789012123456789012')
  })

  test('a quantity in whole units is what its units cost one by one', () => {
    const bounds = fc.uniqueArray(fc.bigInt({ min: 1n, max: 200n }), { maxLength: 5 })
    const units = fc.integer({ min: 0, max: 250 })
    fc.assert(
      fc.property(bounds, units, (found, count) => {
        const rising = found.toSorted((a, b) => (a < b ? -1 : 1))
        const unitPrices = [...rising, undefined].map((_, index) => `0.${index + 1}`)
        const tiers = unitPrices.map((unitPrice, index) => ({
          upTo: rising[index]?.toString() ?? null,
          unitPrice,
        }))
        const each = Array.from({ length: count }, (_, index) => {
          const tier = rising.findIndex((bound) => BigInt(index) < bound)
          return decimal(unitPrices.at(tier) ?? '')
        })
        const price: Price = { id: 'p', model: 'graduated', meter: 'm', tiers }
        expect(text(exactOf(price, { coefficient: BigInt(count), scale: 0 }))).toBe(text(sum(each)))
      }),
    )
  })

  test('the source of pricing has no arithmetic of floats', () => {
    const folder = new URL('.', import.meta.url)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
    )
    expect(files.length).toBeGreaterThan(30)
    for (const name of files)
      expect(readFileSync(new URL(name, folder), 'utf8'), name).not.toMatch(
        /parseFloat|toFixed|Math\.(round|floor|ceil|trunc)|Number\((decimal\(|amount|quantity|micros)/,
      )
  })
})
