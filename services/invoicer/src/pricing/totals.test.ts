import { type Decimal, decimal } from '@tidemark/schemas/decimal.ts'
import { currencies, microsOfMinorUnits } from '@tidemark/schemas/money.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChargeLine, Commitment, Discount, NetInvoice, TaxAnswer } from './priced-invoice.ts'
import { netInvoice, totalInvoice } from './totals.ts'

const rates: Record<string, Decimal> = {
  t0: decimal('0'),
  t10: decimal('10'),
  t19: decimal('19'),
  t8: decimal('8.875'),
}
const taxIds = fc.uniqueArray(fc.constantFrom(...Object.keys(rates)), { maxLength: 3 })
const currency = fc.constantFrom(...currencies)
const minor = fc.bigInt({ min: -1_000_000n, max: 5_000_000n })
const few = { minLength: 0, maxLength: 12 }

const charge = fc.record({
  minor,
  taxes: taxIds,
  discountable: fc.boolean(),
  committed: fc.boolean(),
})
const discount = fc.oneof(
  fc.record({ type: fc.constant('percent' as const), value: fc.integer({ min: 0, max: 100_00 }) }),
  fc.record({ type: fc.constant('fixed' as const), value: fc.integer({ min: 0, max: 5_000_000 }) }),
)
const input = fc.record({
  currency,
  charges: fc.array(charge, few),
  discounts: fc.array(discount, { maxLength: 4 }),
  minimum: fc.option(fc.bigInt({ min: 0n, max: 10_000_000n }), { nil: undefined }),
  maximum: fc.option(fc.bigInt({ min: 0n, max: 10_000_000n }), { nil: undefined }),
  taxRounding: fc.constantFrom('rate' as const, 'line' as const, 'invoice' as const),
  taxInclusive: fc.boolean(),
  inclusiveRounding: fc.constantFrom('net' as const, 'tax' as const),
  credits: fc.bigInt({ min: 0n, max: 10_000_000n }),
})
type Input = typeof input extends fc.Arbitrary<infer Value> ? Value : never

function invoiceOf(given: Input) {
  const { currency: money } = given
  const micros = (value: bigint) => microsOfMinorUnits(value, money)
  const charges = given.charges.map(
    (each, index): ChargeLine => ({ ...each, id: `l${index}`, amountMicros: micros(each.minor) }),
  )
  const commitment: Commitment = {
    taxes: ['t10'],
    ...(given.minimum !== undefined && { minimumMicros: micros(given.minimum) }),
    ...(given.maximum !== undefined && { maximumMicros: micros(given.maximum) }),
  }
  const discounts = given.discounts.map(
    ({ type, value }, index): Discount => ({
      id: `d${index}`,
      type,
      value: { coefficient: BigInt(value), scale: 2 },
      ...(index === 1 && { appliesTo: ['l0', 'l2', 'true-up'] }),
      ...(index === 2 && { remaining: decimal('3') }),
    }),
  )
  const net = netInvoice(charges, [commitment], discounts, money)
  const { taxRounding, taxInclusive, inclusiveRounding } = given
  const options = {
    taxRounding,
    taxInclusive,
    inclusiveRounding,
    availableCreditsMicros: micros(given.credits),
  }
  return { net, invoice: totalInvoice(net, answerFor(net), options, money), unit: micros(1n) }
}

const answerFor = (net: NetInvoice): TaxAnswer => ({
  provider: 'test',
  version: '1',
  lines: net.lines.map(({ id, taxes = [] }) => ({
    id,
    taxes: taxes.map((tax) => ({ id: tax, rate: rates[tax] ?? decimal('0') })),
  })),
})

const sum = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n)

test('lines sum to the totals, whatever is charged, credited, discounted, taxed and paid from a balance', () => {
  fc.assert(
    fc.property(input, (given) => {
      const { net, invoice, unit } = invoiceOf(given)
      const { lines } = invoice
      const of = (pick: (line: (typeof lines)[number]) => bigint) => sum(lines.map(pick))
      expect(of(({ amountMicros, capMicros }) => amountMicros + capMicros)).toBe(invoice.linesTotalMicros)
      expect(of(({ discountMicros }) => discountMicros)).toBe(invoice.discountTotalMicros)
      expect(of(({ netMicros }) => netMicros)).toBe(invoice.netTotalMicros)
      expect(of(({ taxMicros }) => taxMicros)).toBe(invoice.taxTotalMicros)
      expect(sum(invoice.discounts.map(({ amountMicros }) => amountMicros))).toBe(invoice.discountTotalMicros)
      expect(sum(invoice.taxes.map(({ amountMicros }) => amountMicros))).toBe(invoice.taxTotalMicros)
      expect(invoice.totalMicros).toBe(invoice.netTotalMicros + invoice.taxTotalMicros)
      expect(invoice.amountDueMicros).toBe(invoice.totalMicros - invoice.creditsMicros)
      expect(
        invoice.creditsMicros >= 0n && (invoice.totalMicros >= 0n ? invoice.amountDueMicros >= 0n : true),
      ).toBe(true)
      for (const line of lines) {
        const left = line.amountMicros + line.capMicros - line.discountMicros
        expect(given.taxInclusive ? line.netMicros + line.taxMicros : line.netMicros).toBe(left)
        expect(sum(line.taxParts.map(({ amountMicros }) => amountMicros))).toBe(line.taxMicros)
        for (const micros of [line.netMicros, line.taxMicros, line.discountMicros, line.capMicros])
          expect(micros % unit).toBe(0n)
      }
      if (given.taxInclusive) expect(invoice.totalMicros).toBe(net.netTotalMicros)
    }),
    { numRuns: 500 },
  )
})

test('a discount turns no charge into a credit and no credit into a charge', () => {
  fc.assert(
    fc.property(input, (given) => {
      for (const { amountMicros, capMicros, netMicros } of invoiceOf(given).net.lines) {
        const before = amountMicros + capMicros
        expect(before >= 0n ? netMicros >= 0n : netMicros <= 0n).toBe(true)
      }
    }),
  )
})

test('what counts comes to at least the minimum and, unless charges are missing, at most the maximum', () => {
  fc.assert(
    fc.property(input, (given) => {
      const { net } = invoiceOf(given)
      const counted = net.lines.filter(({ committed }) => committed !== false)
      const before = sum(counted.map(({ amountMicros }) => amountMicros))
      const after = sum(counted.map(({ amountMicros, capMicros }) => amountMicros + capMicros))
      if (given.minimum !== undefined)
        expect(before).toBeGreaterThanOrEqual(microsOfMinorUnits(given.minimum, given.currency))
      if (given.maximum !== undefined)
        expect(after).toBeLessThanOrEqual(microsOfMinorUnits(given.maximum, given.currency))
    }),
  )
})

test('an invoice of credits is the mirror of the invoice of charges', () => {
  fc.assert(
    fc.property(input, (given) => {
      const positive = given.charges.map((each) => ({
        ...each,
        minor: each.minor < 0n ? -each.minor : each.minor,
      }))
      const plain = {
        ...given,
        minimum: undefined,
        maximum: undefined,
        credits: 0n,
        discounts: given.discounts.filter(({ type }, index) => type === 'percent' && index !== 2).slice(0, 1),
      }
      const charged = invoiceOf({ ...plain, charges: positive }).invoice
      const credited = invoiceOf({
        ...plain,
        charges: positive.map((each) => ({ ...each, minor: -each.minor })),
      }).invoice
      expect(credited.totalMicros).toBe(-charged.totalMicros)
      expect(credited.lines.map(({ taxMicros }) => -taxMicros)).toEqual(
        charged.lines.map(({ taxMicros }) => taxMicros),
      )
    }),
  )
})
