import { parseMicros } from '@tidemark/schemas/money.ts'
import { expect, test } from 'vitest'
import { createFixedRates } from './fixed-rates.ts'
import type { TaxRequest } from './port.ts'
import { ratesOn, type TaxRate, taxRateFaults } from './tax-rate.ts'

const rate = (id: string, more: Partial<TaxRate>): TaxRate => ({
  id,
  tax: 'vat',
  percent: '0',
  from: '2000-01-01',
  ...more,
})

const rates = [
  rate('de', { country: 'DE', percent: '19' }),
  rate('de-books', { country: 'DE', taxCode: 'books', percent: '7' }),
  rate('fr', { country: 'FR', percent: '20' }),
  rate('gst', { country: 'CA', tax: 'gst', percent: '5' }),
  rate('bc', { country: 'CA', region: 'BC', tax: 'pst', percent: '7' }),
  rate('on', { country: 'CA', region: 'ON', tax: 'gst', percent: '13' }),
  rate('levy', { tax: 'levy', percent: '1' }),
]

type Customer = Partial<TaxRequest['customer']>

async function idsFor(customer: Customer, line: Partial<TaxRequest['lines'][number]> = {}, seller = 'DE') {
  const answer = await createFixedRates(rates).calculate({
    tenant: 't',
    idempotencyKey: 'k',
    currency: 'EUR',
    date: '2026-11-21',
    taxInclusive: false,
    seller: seller === '' ? undefined : { country: seller, taxIds: [] },
    customer: { address: undefined, taxId: undefined, exemption: 'none', ...customer },
    lines: [{ id: 'a', netMicros: parseMicros('1'), ...line }],
  })
  return answer.lines[0]?.taxes.map(({ id }) => id)
}

const inCountry = (country: string, region?: string): Customer => ({
  address: { country, ...(region === undefined ? {} : { region }) },
})
const vatId = { taxId: { type: 'eu_vat', value: 'X1' } }

test('of each tax the most specific rate applies, and different taxes add up', async () => {
  expect(await idsFor(inCountry('DE'))).toEqual(['de', 'levy'])
  expect(await idsFor(inCountry('DE'), { taxCode: 'books' })).toEqual(['de-books', 'levy'])
  expect(await idsFor(inCountry('CA', 'BC'))).toEqual(['gst', 'bc', 'levy'])
  expect(await idsFor(inCountry('CA', 'ON'))).toEqual(['on', 'levy'])
  expect(await idsFor(inCountry('US', 'CA'))).toEqual(['levy'])
})

test('without an address the seller’s country counts, without a seller what holds everywhere', async () => {
  expect(await idsFor({})).toEqual(['de', 'levy'])
  expect(await idsFor({}, {}, '')).toEqual(['levy'])
})

test('inside of the EU a private customer without a rate pays the seller’s, a business owes it itself', async () => {
  expect(await idsFor(inCountry('ES'))).toEqual(['de', 'levy'])
  expect(await idsFor(inCountry('FR'))).toEqual(['fr', 'levy'])
  expect(await idsFor({ ...inCountry('ES'), ...vatId })).toEqual(['reverse_charge'])
  expect(await idsFor({ ...inCountry('ES'), ...vatId }, {}, 'US')).toEqual(['levy'])
  expect(await idsFor({ ...inCountry('CH'), ...vatId })).toEqual(['levy'])
})

test('a price that names its rates is taxed by these, but not where nothing is due', async () => {
  expect(await idsFor(inCountry('FR'), { taxes: ['de'] })).toEqual(['de'])
  expect(await idsFor(inCountry('FR'), { taxes: [] })).toEqual([])
  expect(await idsFor({ ...inCountry('FR'), exemption: 'exempt' }, { taxes: ['de'] })).toEqual(['exempt'])
  await expect(idsFor(inCountry('FR'), { taxes: ['gone'] })).rejects.toThrow('PUT /v1/tax/rates')
})

test('of each id the newest row that has begun counts, until it ends', () => {
  const dated = [
    rate('de', { percent: '19' }),
    rate('de', { percent: '16', from: '2020-07-01', to: '2021-01-01' }),
    rate('de', { percent: '19', from: '2021-01-01', to: '2030-01-01' }),
  ]
  const on = (date: string) => ratesOn(dated, date).map(({ percent }) => percent)
  expect(
    ['1999-12-31', '2020-06-30', '2020-07-01', '2020-12-31', '2021-01-01', '2030-01-01'].map(on),
  ).toEqual([[], ['19'], ['16'], ['16'], ['19'], []])
})

test('every fault of a list is named at once', () => {
  const faults = taxRateFaults([
    rate('a', { from: '2026-02-30' }),
    rate('b', { to: '2000-01-01' }),
    rate('c', { region: 'BC' }),
    rate('b', {}),
  ])
  expect(faults.map(({ field }) => field)).toEqual([
    'rates.0.from',
    'rates.1.to',
    'rates.2.country',
    'rates.3.from',
  ])
})
