import { decimal } from '@tidemark/schemas/decimal.ts'
import { parseMicros } from '@tidemark/schemas/money.ts'
import { expect, test } from 'vitest'
import type { LineTax, TotalOptions } from './priced-invoice.ts'
import { netInvoice, totalInvoice } from './totals.ts'

const tax = (id: string, rate: string, amount?: string): LineTax => ({
  id,
  rate: decimal(rate),
  ...(amount !== undefined && { amountMicros: parseMicros(amount) }),
})

function priced(lines: Record<string, string>, taxes: Record<string, LineTax[]>, options: TotalOptions = {}) {
  const charges = Object.entries(lines).map(([id, amount]) => ({ id, amountMicros: parseMicros(amount) }))
  const answer = {
    provider: 'test',
    version: '1',
    lines: Object.entries(taxes).map(([id, each]) => ({ id, taxes: each })),
  }
  return totalInvoice(netInvoice(charges, [], [], 'EUR'), answer, options, 'EUR')
}

test('amounts that the provider gives are taken as they are, also where rounding would say otherwise', () => {
  const invoice = priced(
    { a: '10', b: '20' },
    { a: [tax('vat', '19', '1.89')], b: [tax('vat', '19', '3.81')] },
  )
  expect(invoice.lines.map(({ taxMicros }) => taxMicros)).toEqual([parseMicros('1.89'), parseMicros('3.81')])
  expect(invoice.taxes).toMatchObject([
    { id: 'vat', baseMicros: parseMicros('30'), amountMicros: parseMicros('5.7') },
  ])
})

test('an amount that contains several taxes is divided among them and its net', () => {
  const taxes = { a: [tax('federal', '5'), tax('province', '9.975')] }
  const invoice = priced({ a: '114.98' }, taxes, { taxInclusive: true })
  expect(invoice.lines).toMatchObject([{ netMicros: parseMicros('100'), taxMicros: parseMicros('14.98') }])
  expect(invoice.taxes.map(({ amountMicros }) => amountMicros)).toEqual([
    parseMicros('5'),
    parseMicros('9.98'),
  ])
  expect(invoice.totalMicros).toBe(parseMicros('114.98'))
})

test('a credit beside a charge gives back its own tax, not a multiple of it', () => {
  const invoice = priced(
    { charge: '100', credit: '-99.97' },
    { charge: [tax('vat', '20')], credit: [tax('vat', '20')] },
  )
  expect(invoice.lines.map(({ taxMicros }) => taxMicros)).toEqual([parseMicros('20'), parseMicros('-19.99')])
  expect(invoice.taxTotalMicros).toBe(parseMicros('0.01'))
})

test('a reverse charge stays on the invoice as a rate of nothing with its reason', () => {
  const reverse: LineTax = { id: 'vat', rate: decimal('0'), reason: 'reverse_charge' }
  expect(priced({ a: '100' }, { a: [reverse] }).taxes).toEqual([
    {
      id: 'vat',
      rate: decimal('0'),
      reason: 'reverse_charge',
      baseMicros: parseMicros('100'),
      amountMicros: 0n,
    },
  ])
})

test('an answer that does not fit the invoice is refused', () => {
  expect(() => priced({ a: '1', b: '1' }, { a: [] })).toThrow('has left out line "b"')
  expect(() => priced({ a: '1', b: '1' }, { a: [tax('vat', '19')], b: [tax('vat', '7')] })).toThrow(
    'two rates',
  )
})
