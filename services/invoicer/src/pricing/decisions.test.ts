import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import type { Price } from '@tidemark/schemas/price.ts'
import { describe, expect, test } from 'vitest'
import { needsOf, ratePrice } from './rate.ts'
import type { PricedUsage } from './rated.ts'

const id = 'p'
const meter = 'm'
const rate = (price: Price, usage: PricedUsage) => ratePrice(price, usage, 'USD')
const exact = (price: Price, usage: PricedUsage) => formatDecimal(rate(price, usage).exact)
const micros = (price: Price, usage: PricedUsage) => rate(price, usage).amountMicros
const of = (quantity: string, already?: string): PricedUsage => ({
  quantity: decimal(quantity),
  ...(already === undefined ? {} : { already: decimal(already) }),
})
const perUnit = (more: object = {}): Price => ({ id, model: 'per-unit', meter, unitPrice: '2', ...more })

describe('tiers that carry on', () => {
  const tiers = [
    { upTo: '100', unitPrice: '2', flatFee: '10' },
    { upTo: null, unitPrice: '1', flatFee: '50' },
  ]

  test('graduated: a tier that was entered is not entered again', () => {
    const price: Price = { id, model: 'graduated', meter, tiers }
    expect(exact(price, of('60'))).toBe('130')
    expect(exact(price, of('60', '60'))).toBe('150')
    expect(exact(price, of('60', '100'))).toBe('110')
  })

  test('volume: the tier of all usage so far prices this segment; a flat fee of a tier is paid once', () => {
    const price: Price = { id, model: 'volume', meter, tiers }
    expect(exact(price, of('60'))).toBe('130')
    expect(exact(price, of('60', '60'))).toBe('110')
    expect(exact(price, of('60', '110'))).toBe('60')
  })

  test('free units that are left over are left for the next segment', () => {
    expect(exact(perUnit({ freeUnits: '100' }), of('30', '90'))).toBe('40')
    expect(exact(perUnit({ freeUnits: '100' }), of('30', '200'))).toBe('60')
  })

  test('a started package and a started block are paid', () => {
    const price: Price = { id, model: 'package', meter, packageSize: '10', packagePrice: '5' }
    expect(exact(price, of('5', '5'))).toBe('0')
    expect(exact(price, of('6', '5'))).toBe('5')
  })

  test('a first tier that is due without usage is due once', () => {
    const price: Price = { id, model: 'graduated', meter, tiers, zeroUsageFlatFee: true }
    expect(exact(price, of('0'))).toBe('10')
    expect(exact(price, of('0', '0'))).toBe('0')
    expect(exact(price, of('5', '0'))).toBe('10')
  })
})

describe('quantities below zero', () => {
  test('give back what a unit costs, and enter no tier', () => {
    expect(exact(perUnit(), of('-3'))).toBe('-6')
    expect(exact(perUnit({ freeUnits: '10' }), of('-3'))).toBe('-6')
    expect(exact({ id, model: 'graduated', meter, tiers: [{ upTo: null, unitPrice: '1' }] }, of('-3'))).toBe(
      '0',
    )
    expect(exact({ id, model: 'package', meter, packageSize: '10', packagePrice: '5' }, of('-30'))).toBe('0')
  })

  test('an event that gives money back returns its share, without fee, minimum or allowance', () => {
    const price: Price = { id, model: 'percentage', meter, rate: '10', fixedFee: '1', minPerEvent: '3' }
    const events = ['100', '-50', '5'].map(decimal)
    expect(exact(price, { quantity: decimal('55'), events })).toBe('9')
  })
})

describe('a matrix', () => {
  const price = perUnit({
    filters: [
      { match: { region: 'eu' }, unitPrice: '3' },
      { match: { tier: 'gold' }, unitPrice: '5' },
      { match: { region: 'eu', tier: 'gold' }, unitPrice: '7' },
    ],
    freeUnits: '4',
  })
  const matched = [
    { match: { region: 'eu', tier: 'silver' }, quantity: decimal('10') },
    { match: { region: 'us', tier: 'gold' }, quantity: decimal('1') },
    { match: { region: 'eu', tier: 'gold' }, quantity: decimal('1') },
    { match: { region: '', tier: '' }, quantity: decimal('1') },
  ]

  test('prices each event once, by what matches most; free units come off in the order of the filters', () => {
    expect(exact(price, { quantity: decimal('13'), matched })).toBe('32')
    expect(exact(price, { quantity: decimal('13'), matched: matched.toReversed() })).toBe('32')
  })

  test('of two that match as much the first counts', () => {
    const two = perUnit({
      filters: [
        { match: { a: 'x' }, unitPrice: '3' },
        { match: { b: 'y' }, unitPrice: '5' },
      ],
    })
    const both = [{ match: { a: 'x', b: 'y' }, quantity: decimal('1') }]
    expect(exact(two, { quantity: decimal('1'), matched: both })).toBe('3')
  })

  test('reads the dimensions that it asks for', () => {
    expect(needsOf(price).dimensions).toEqual(['region', 'tier'])
    expect(needsOf(perUnit({ filter: { zone: ['a'] } })).dimensions).toEqual(['zone'])
  })
})

describe('a part of a period', () => {
  const factor = { numerator: 17n, denominator: 31n }

  test('costs its part of a fee, rounded once', () => {
    expect(micros({ id, model: 'flat', amount: '10' }, { ...of('0'), factor })).toBe(5_480_000n)
    const seats: Price = { id, model: 'per-unit', unitPrice: '10' }
    expect(micros(seats, { ...of('3'), factor })).toBe(16_450_000n)
  })

  test('usage is whole, but a commitment of its price is for the part', () => {
    expect(micros(perUnit(), { ...of('3'), factor })).toBe(6_000_000n)
    const committed = perUnit({ commitment: { minimum: '100', overageFactor: '1.5' } })
    expect(micros(committed, { ...of('3'), factor })).toBe(54_840_000n)
    expect(micros(committed, { ...of('60') })).toBe(130_000_000n)
  })
})

test('a level that changes is exact where a change does not split evenly', () => {
  const tiers = [
    { upTo: '1', unitPrice: '1' },
    { upTo: null, unitPrice: '2' },
  ]
  const price: Price = { id, model: 'graduated-prorated', tiers }
  const changes = [{ quantity: decimal('3'), proratedQuantity: decimal('1') }]
  // A third of the change at 1 and two thirds at 2.
  const rated = rate(price, { quantity: decimal('3'), changes })
  expect(rated.amountMicros).toBe(1_670_000n)
  expect(formatDecimal(rated.exact)).toMatch(/^1\.6{19}/)
})

test('what has to be read follows from the price', () => {
  const nothing = { events: false, changes: false, dimensions: [], meters: [] }
  expect(needsOf({ id, model: 'flat', amount: '1' })).toEqual(nothing)
  expect(needsOf({ id, model: 'per-unit', unitPrice: '1' })).toEqual(nothing)
  expect(needsOf({ id, model: 'percentage', meter, rate: '1' })).toEqual({ ...nothing, meters: ['m'] })
  expect(needsOf({ id, model: 'percentage', meter, rate: '1', freeEvents: '1' })).toMatchObject({
    events: true,
  })
  const limits = { storage: '1', members: null }
  expect(needsOf({ id, model: 'capacity', tiers: [{ price: '1', limits }] }).meters).toEqual([
    'storage',
    'members',
  ])
})
