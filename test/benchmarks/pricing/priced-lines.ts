import type { PricedUsage } from '@tidemark/invoicer/pricing/rated.ts'
import { type Decimal, decimal } from '@tidemark/schemas/decimal.ts'
import type { Price } from '@tidemark/schemas/price.ts'

export type PricedLine = { readonly name: string; readonly price: Price; readonly usage: PricedUsage }

const id = 'p'
const meter = 'm'
const used: PricedUsage = { quantity: decimal('1234567.891') }
const upTo = ['1000', '10000', '100000', '1000000', null]
const tiers = upTo.map((each, index) => ({
  upTo: each,
  unitPrice: `0.00${9 - index}25`,
  flatFee: `${index}`,
}))
const regions = Array.from({ length: 10 }, (_, index) => `region-${index}`)
const classes = Array.from({ length: 10 }, (_, index) => `class-${index}`)
const cells = regions.flatMap((region) => classes.map((storage) => ({ region, storage })))
const range = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => item(index))
const sizes: readonly Decimal[] = range(1_000, (index) => decimal(`${(index * 37) % 900}.25`))
const byUnit: PricedUsage = {
  quantity: decimal('0'),
  units: new Map([
    ['members', decimal('1500')],
    ['storage', decimal('80')],
  ]),
}

/** A line of each model as plans have them: five tiers, a matrix of a hundred cells, a thousand events. */
export const pricedLines: readonly PricedLine[] = [
  { name: 'flat', price: { id, model: 'flat', amount: '29.00' }, usage: { quantity: decimal('0') } },
  {
    name: 'per-unit',
    price: { id, model: 'per-unit', meter, unitPrice: '0.00175', freeUnits: '1000' },
    usage: used,
  },
  {
    name: 'per-unit, matrix of 100 cells',
    price: {
      id,
      model: 'per-unit',
      meter,
      unitPrice: '0.5',
      filters: cells.map((match, index) => ({ match, unitPrice: `0.${index + 1}` })),
    },
    usage: {
      quantity: decimal('1000'),
      matched: cells.map((match) => ({ match, quantity: decimal('10') })),
    },
  },
  { name: 'graduated', price: { id, model: 'graduated', meter, tiers }, usage: used },
  { name: 'volume', price: { id, model: 'volume', meter, tiers }, usage: used },
  {
    name: 'graduated-percentage',
    price: {
      id,
      model: 'graduated-percentage',
      meter,
      tiers: upTo.map((each, index) => ({ upTo: each, rate: `${5 - index}.5`, flatFee: '1' })),
    },
    usage: used,
  },
  {
    name: 'package',
    price: { id, model: 'package', meter, packageSize: '1000', packagePrice: '5', freeUnits: '100' },
    usage: used,
  },
  { name: 'percentage', price: { id, model: 'percentage', meter, rate: '2.9' }, usage: used },
  {
    name: 'percentage of 1,000 events',
    price: {
      id,
      model: 'percentage',
      meter,
      rate: '2.9',
      fixedFee: '0.3',
      freeEvents: '10',
      maxPerEvent: '12',
    },
    usage: { quantity: decimal('0'), events: sizes },
  },
  {
    name: 'blocks',
    price: {
      id,
      model: 'blocks',
      meter,
      tiers: range(5, (index) => ({ size: '1000', max: index === 4 ? null : '100', price: `${5 - index}` })),
    },
    usage: used,
  },
  {
    name: 'capacity',
    price: {
      id,
      model: 'capacity',
      tiers: range(5, (index) => ({
        price: `${index * 10}`,
        limits: {
          members: index === 4 ? null : `${index * 1_000}`,
          storage: index === 4 ? null : `${index * 50}`,
        },
      })),
    },
    usage: byUnit,
  },
  {
    name: 'graduated-prorated, 10 changes',
    price: {
      id,
      model: 'graduated-prorated',
      tiers: tiers.map((tier, index) => ({ ...tier, upTo: index === 4 ? null : `${(index + 1) * 7}` })),
    },
    usage: {
      quantity: decimal('50'),
      changes: range(10, (index) => ({
        quantity: decimal('5'),
        proratedQuantity: decimal(`${(10 - index) / 2}`),
      })),
    },
  },
]
