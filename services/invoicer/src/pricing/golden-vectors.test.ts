import { readFileSync } from 'node:fs'
import { add, type Decimal, decimal, formatDecimal, multiply, zero } from '@tidemark/schemas/decimal.ts'
import { formatMicros, isCurrency, parseMicros, roundToMinorUnit } from '@tidemark/schemas/money.ts'
import { describe, expect, test } from 'vitest'
import { ratePrice } from './rate.ts'
import type { RatedPrice } from './rated.ts'

type Tier = { upTo: string | null; unitPrice: string; flatFee?: string }
type Vector = {
  id: string
  kind: string
  currency: string
  price?: { model: string; unitPrice?: string; tiers?: Tier[] } & Record<string, unknown>
  usage?: string
  usageParts?: { values: string[] }
  usagePartitions?: string[][]
  lines?: { amount?: string; quantity?: string; unitPrice?: string; repeat?: string }[]
  expected: {
    amount?: string
    perPart?: string[]
    perTier?: { tier: string; quantity: string; amount: string }[]
    lines?: string[]
    total?: string
  }
} & Record<string, unknown>

const file = new URL('../../golden/pricing-vectors.json', import.meta.url)
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))

const known = {
  vector: 'id category kind source currency price usage usageParts usagePartitions expected note lines',
  price: 'model unitPrice tiers',
}
/** What a vector asks for that is not built yet; undefined when it can run. */
function unsupported(vector: Vector): string | undefined {
  if (!isCurrency(vector.currency)) return `currency ${vector.currency}`
  const field = Object.keys(vector).find((name) => !known.vector.split(' ').includes(name))
  if (field) return field
  const ofPrice = Object.keys(vector.price ?? {}).find((name) => !known.price.split(' ').includes(name))
  return ofPrice && `price.${ofPrice}`
}

const built = new Set(['per-unit', 'graduated'])
const chosen = vectors.filter(
  ({ kind, price }) => kind === 'rounding' || (kind === 'price' && built.has(price?.model ?? '')),
)
const skipped = chosen.filter(unsupported).map((vector) => `${vector.id}: ${unsupported(vector)}`)
const runnable = chosen.filter((vector) => !unsupported(vector))

test('what is not built yet is known by name', () => {
  expect(skipped).toEqual([
    'B1: convention',
    'E16.2: price.freeUnits',
    'F7: usageRounding',
    'K6: optional',
    'J7.2: currency VND',
    'J7.3: currency CLP',
    'X-R6: currency BHD',
  ])
  expect(runnable).toHaveLength(57)
})

const micros = (amount: string) => parseMicros(amount)
const sum = (values: readonly string[]): Decimal => values.map(decimal).reduce(add, zero)

function rate(vector: Vector, quantity: Decimal): RatedPrice {
  if (!isCurrency(vector.currency)) throw new Error(vector.currency)
  const { model, unitPrice = '0', tiers = [] } = vector.price ?? { model: 'none' }
  const price =
    model === 'per-unit'
      ? ({ id: 'p', model, meter: 'm', unitPrice } as const)
      : ({ id: 'p', model: 'graduated', meter: 'm', tiers } as const)
  return ratePrice(price, { quantity }, vector.currency)
}

describe('prices', () => {
  test.each(runnable.filter(({ kind }) => kind === 'price'))('$id', (vector) => {
    const { expected, usage, usageParts, usagePartitions } = vector
    const parts = (usageParts?.values ?? (usage === undefined ? [] : [usage])).map(
      (part) => rate(vector, decimal(part)).amountMicros,
    )
    if (expected.perPart) expect(parts).toEqual(expected.perPart.map(micros))
    if (!usagePartitions) expect(parts.reduce((a, b) => a + b, 0n)).toBe(micros(expected.amount ?? ''))
    for (const partition of usagePartitions ?? [])
      expect(rate(vector, sum(partition)).amountMicros).toBe(micros(expected.amount ?? ''))
    const { trace } = rate(vector, decimal(usage ?? '0'))
    for (const { tier, ...tiered } of expected.perTier ?? [])
      expect(trace.find((each) => each.step === 'tier' && each.tier === tier)).toMatchObject(tiered)
  })
})

describe('rounding', () => {
  test.each(runnable.filter(({ kind }) => kind === 'rounding'))(
    '$id',
    ({ lines = [], expected, currency }) => {
      if (!isCurrency(currency)) throw new Error(currency)
      const rounded = lines.flatMap(({ amount, quantity = '0', unitPrice = '0', repeat = '1' }) => {
        const exact = amount === undefined ? multiply(decimal(quantity), decimal(unitPrice)) : decimal(amount)
        return Array.from({ length: Number(repeat) }, () => roundToMinorUnit(exact, currency))
      })
      if (expected.lines) expect(rounded).toEqual(expected.lines.map(micros))
      const total = rounded.reduce((a, b) => a + b, 0n)
      expect(total).toBe(micros(expected.total ?? ''))
      expect(formatDecimal(decimal(formatMicros(total, currency)))).toBe(expected.total)
    },
  )
})
