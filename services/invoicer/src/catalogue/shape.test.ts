import { expect, test } from 'vitest'
import { pathOf, readCatalogue } from './shape.ts'

const faultsOf = (value: unknown) => {
  const read = readCatalogue(value)
  return 'faults' in read ? read.faults.map(({ path, reason }) => `${path}: ${reason}`) : []
}
const plan = (prices: unknown[]) => ({ plans: [{ id: 'p', name: 'P', currency: 'EUR', prices }] })

test('a sound catalogue is read as it is', () => {
  const catalogue = plan([{ id: 'base', model: 'flat', amount: '1.00' }])
  expect(readCatalogue(catalogue)).toEqual({ catalogue })
})

test('a price is judged by the model it names, and every fault is told at once', () => {
  expect(
    faultsOf({
      ...plan([
        { id: 'base', model: 'flat', unitPrice: '1' },
        { id: 'x', model: 'graduated', meter: 'calls', tiers: [{ upTo: 10, unitPrice: '-1' }] },
        { id: 'y', model: 'magic' },
      ]),
      customer: [],
    }),
  ).toEqual([
    'customer: is not a field that is known here; remove it or mend its name',
    'plans[0].prices[2].model: must be equal to one of the allowed values: use one of flat, per-unit, graduated, volume, graduated-percentage, package, percentage, blocks, capacity, graduated-prorated',
    'plans[0].prices[0].amount: is missing',
    'plans[0].prices[0].unitPrice: is not a field that is known here; remove it or mend its name',
    'plans[0].prices[1].tiers[0].upTo: must be text, in quotes or must be null',
    'plans[0].prices[1].tiers[0].unitPrice: must be decimal text in major units of the currency, such as 0.0175, with at most 12 decimals',
  ])
})

test('what is no object is refused', () => {
  expect(faultsOf('catalogue')).toEqual([': must be object'])
  expect(faultsOf({ plans: 'p' })).toEqual(['plans: must be array'])
})

test('paths are written as people write them', () => {
  expect(pathOf('/plans/0/prices/2/meter')).toBe('plans[0].prices[2].meter')
})
