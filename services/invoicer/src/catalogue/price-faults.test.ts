import type { Meter } from '@tidemark/schemas/meter.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import { expect, test } from 'vitest'
import { priceFaults } from './price-faults.ts'

const calls: Meter = {
  key: 'calls',
  eventType: 'call',
  aggregation: 'count',
  dimensions: { region: 'region' },
}
const users: Meter = { key: 'users', eventType: 'call', aggregation: 'unique-count', valuePath: 'user' }
const meters = new Map([calls, users].map((meter) => [meter.key, meter]))
const context = { currency: 'EUR' as const, interval: { unit: 'month' as const, count: 1 }, meters }
const pathsOf = (price: Price) => priceFaults(price, context, 'p').map(({ path }) => path)
const perUnit: Price = { id: 'a', model: 'per-unit', meter: 'calls', unitPrice: '0.0001' }
const tier = { unitPrice: '1' }

test.each<[string, Price]>([
  ['a price of a meter', perUnit],
  ['seats', { id: 'a', model: 'per-unit', unitPrice: '10' }],
  ['a quarterly fee', { id: 'a', model: 'flat', amount: '10', interval: { unit: 'month', count: 3 } }],
])('%s is sound', (_name, price) => {
  expect(pathsOf(price)).toEqual([])
})

test.each<[string, Price, string]>([
  ['an unknown meter', { ...perUnit, meter: 'nothing' }, 'p.meter'],
  ['a meter that no price can rest on', { ...perUnit, meter: 'users' }, 'p.meter'],
  ['an unknown dimension', { ...perUnit, filter: { zone: ['a'] } }, 'p.filter'],
  [
    'tiers that overlap',
    {
      id: 'a',
      model: 'volume',
      meter: 'calls',
      tiers: [
        { upTo: '5', ...tier },
        { upTo: '5', ...tier },
        { upTo: null, ...tier },
      ],
    },
    'p.tiers[1].upTo',
  ],
  [
    'blocks with an end',
    { id: 'a', model: 'blocks', meter: 'calls', tiers: [{ size: '1', max: '5', price: '1' }] },
    'p.tiers[0].max',
  ],
  [
    'a capacity with an end',
    { id: 'a', model: 'capacity', tiers: [{ price: '1', limits: { calls: '5' } }] },
    'p.tiers[0].limits.calls',
  ],
  ['single events of no meter', { id: 'a', model: 'percentage', rate: '1', fixedFee: '1' }, 'p.meter'],
  [
    'what previews only calculate',
    { id: 'a', model: 'graduated-prorated', tiers: [{ upTo: null, ...tier }] },
    'p.model',
  ],
  ['a fee beyond its currency', { id: 'a', model: 'flat', amount: '10.5', currency: 'JPY' }, 'p.amount'],
  [
    'an interval beside the period',
    { id: 'a', model: 'flat', amount: '1', interval: { unit: 'week', count: 1 } },
    'p.interval',
  ],
  ['usage in advance', { ...perUnit, timing: 'advance' }, 'p.timing'],
])('%s is found', (_name, price, path) => {
  expect(pathsOf(price)).toContain(path)
})
