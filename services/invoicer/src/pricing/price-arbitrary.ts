import { type Decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import type { Price, PriceModel, PriceOf } from '@tidemark/schemas/price.ts'
import fc from 'fast-check'

// Random prices and quantities for property tests; in every size that a catalogue and an event may have.

const text = (most: bigint, scale: number): fc.Arbitrary<string> =>
  fc.bigInt({ min: 0n, max: most }).map((coefficient) => formatDecimal({ coefficient, scale }))

/** Up to 29 digits before the point and 9 behind it, often small and often whole. */
export const anyQuantity: fc.Arbitrary<Decimal> = fc.oneof(
  fc.bigInt({ min: 0n, max: 1_000n }).map((coefficient) => ({ coefficient, scale: 0 })),
  fc.bigInt({ min: 0n, max: 10n ** 9n }).map((coefficient) => ({ coefficient, scale: 3 })),
  fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }).map((coefficient) => ({ coefficient, scale: 9 })),
)

const unitPrice = text(10n ** 24n - 1n, 12)
const amount = text(10n ** 8n, 2)
const count = text(20n, 0)
const freeUnits = text(10n ** 6n, 2)
const zeroUsageFlatFee = fc.boolean()

/** Bounds that rise, the last of them none. */
const bounds = fc
  .uniqueArray(fc.bigInt({ min: 1n, max: 10n ** 6n }), { maxLength: 6 })
  .map((found) => [
    ...found
      .toSorted((a, b) => (a < b ? -1 : 1))
      .map((coefficient) => formatDecimal({ coefficient, scale: 2 })),
    null,
  ])

const tiersOf = <Fields extends object>(fields: fc.Arbitrary<Fields>) =>
  bounds.chain((all) => fc.tuple(...all.map((upTo) => fields.map((rest) => ({ upTo, ...rest })))))

const blockTiers = fc
  .array(
    fc.record({ size: text(500n, 0).map((size) => (size === '0' ? '7' : size)), max: count, price: amount }),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((tiers) =>
    tiers.map((tier, index) => ({ ...tier, max: index === tiers.length - 1 ? null : `1${tier.max}` })),
  )

const common = { id: fc.constant('p'), meter: fc.constant('m') }
const always = ['id', 'meter', 'model'] as const
const tiers = tiersOf(fc.record({ unitPrice, flatFee: amount }))
const percentTiers = tiersOf(fc.record({ rate: text(10n ** 4n, 2), flatFee: amount }))

/** A price of each model whose amount follows from a quantity alone. */
export const priceOf: { [Model in Quantified]: fc.Arbitrary<PriceOf<Model>> } = {
  'per-unit': fc.record(
    { ...common, model: fc.constant('per-unit'), unitPrice, freeUnits },
    { requiredKeys: [...always, 'unitPrice'] },
  ),
  graduated: fc.record(
    { ...common, model: fc.constant('graduated'), tiers, freeUnits, zeroUsageFlatFee },
    { requiredKeys: [...always, 'tiers'] },
  ),
  volume: fc.record(
    { ...common, model: fc.constant('volume'), tiers, freeUnits, zeroUsageFlatFee },
    { requiredKeys: [...always, 'tiers'] },
  ),
  'graduated-percentage': fc.record(
    { ...common, model: fc.constant('graduated-percentage'), tiers: percentTiers, zeroUsageFlatFee },
    { requiredKeys: [...always, 'tiers'] },
  ),
  package: fc.record(
    {
      ...common,
      model: fc.constant('package'),
      packageSize: text(10n ** 5n, 2).map((size) => (size === '0' ? '1' : size)),
      packagePrice: amount,
      freeUnits,
      packageRounding: fc.constantFrom('up', 'down'),
    },
    { requiredKeys: [...always, 'packageSize', 'packagePrice'] },
  ),
  percentage: fc.record(
    { ...common, model: fc.constant('percentage'), rate: text(10n ** 4n, 2), freeAmount: freeUnits },
    { requiredKeys: [...always, 'rate'] },
  ),
  blocks: fc.record(
    { ...common, model: fc.constant('blocks'), mode: fc.constant('all-tiers'), tiers: blockTiers },
    { requiredKeys: [...always, 'tiers'] },
  ),
}

type Quantified = Exclude<PriceModel, 'flat' | 'capacity' | 'graduated-prorated'>

export const quantifiedModels = Object.keys(priceOf) as Quantified[]

export const anyPrice: fc.Arbitrary<Price> = fc.oneof(...Object.values(priceOf))
