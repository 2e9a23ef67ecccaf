import type { Catalogue } from '@tidemark/schemas/catalogue.ts'
import { daysBetween } from '@tidemark/schemas/local-date.ts'
import type { Plan } from '@tidemark/schemas/plan.ts'
import type { Fields, Item, Vector } from './golden-vectors.ts'

// Golden vectors as a company would live them: plans, subscriptions with their changes, and events.

/** One vector as one customer with one subscription. */
export type GoldenCase = {
  readonly vector: Vector
  readonly key: string
  readonly plans: Plan[]
  readonly subscription: NonNullable<Catalogue['subscriptions']>[number]
  readonly coupons: NonNullable<Catalogue['coupons']>
  readonly rates: { id: string; tax: string; percent: string; from: string; taxCode: string }[]
  /** Requests that change the subscription: the last part of the address, and the body. */
  readonly requests: [string, Record<string, unknown>][]
  readonly events: { meter: string; value: string; properties: Fields }[]
}

const usageMeter = 'quantity'
const unitMeter = (unit: string): string => `unit-${unit.toLowerCase()}`
const october = { start: '2026-10-01', end: '2026-11-01' }

/** Undefined for a vector that is not one subscription’s period: an exact amount, a part of a calculation. */
export function caseOf(vector: Vector, index: number): GoldenCase | undefined {
  const key = `v${index}`
  if (vector.kind === 'price') return priceCase(vector, key)
  if (vector.kind === 'proration') return prorationCase(vector, key)
  if (vector.kind === 'plan-change') return changeCase(vector, key)
  return vector.kind === 'invoice' ? invoiceCase(vector, key) : undefined
}

const named = (vector: Vector, key: string, prices: unknown[], more: object = {}): Plan =>
  JSON.parse(JSON.stringify({ id: key, name: vector.id, currency: vector.currency, prices, ...more }))

function base(vector: Vector, key: string, plans: Plan[], start: string): GoldenCase {
  const subscription = { key, customer: key, plan: plans[0]?.id ?? '', start: `${start}T00:00:00Z` }
  return { vector, key, plans, subscription, coupons: [], rates: [], requests: [], events: [] }
}

const until = (end: string): [string, Record<string, unknown>] => [
  'cancel',
  { effective: `${end}T00:00:00Z` },
]

function priceCase(vector: Vector, key: string): GoldenCase | undefined {
  const { price, usage, usagePartitions, usageByUnit, events, usageRounding, expected, convention } = vector
  const partial = ['changes', 'usageParts', 'alreadyBilled', 'tierSelectionUsage'].some(
    (name) => name in vector,
  )
  if (!price || partial || expected.rounded === false) return undefined
  const meter = usageByUnit ? {} : { meter: usageMeter }
  const rounding = usageRounding && {
    usageRounding: { ...usageRounding, precision: Number(usageRounding.precision) },
  }
  const plan = named(vector, key, [
    { id: 'price', ...subscribable(price), ...meter, ...rounding, ...convention },
  ])
  const single = usagePartitions?.at(-1) ?? events ?? (usage === undefined || usage === '0' ? [] : [usage])
  return {
    ...base(vector, key, [plan], october.start),
    events: usageByUnit
      ? Object.entries(usageByUnit).map(([unit, value]) => ({
          meter: unitMeter(unit),
          value,
          properties: {},
        }))
      : single.map((each) => {
          const { value, properties } = typeof each === 'string' ? { value: each, properties: {} } : each
          return { meter: usageMeter, value, properties }
        }),
  }
}

type Loose = { tiers?: Record<string, unknown>[]; units?: Record<string, Record<string, unknown>[]> }

/**
 * Units of a price are meters here, whose keys are small letters. What a catalogue asks for besides: the last tier has no
 * end, which changes no amount, since beyond its end it goes on.
 */
function subscribable(price: Loose & { model: string }): object {
  const open = (tiers: Record<string, unknown>[]) =>
    tiers.map((tier, index) => (index < tiers.length - 1 ? tier : endless(tier)))
  const byUnit = <Value>(units: Record<string, Value>) =>
    Object.entries(units).map(([unit, value]) => [unitMeter(unit), value] as const)
  const tiers = (price.tiers ?? []).map((tier) =>
    typeof tier.limits === 'object'
      ? { ...tier, limits: Object.fromEntries(byUnit(Object(tier.limits))) }
      : tier,
  )
  return {
    ...price,
    ...(price.tiers ? { tiers: open(tiers) } : {}),
    ...(price.units
      ? { units: Object.fromEntries(byUnit(price.units).map(([unit, each]) => [unit, open(each)])) }
      : {}),
  }
}

const endless = (tier: Record<string, unknown>) => ({
  ...tier,
  ...('max' in tier ? { max: null } : {}),
  ...('limits' in tier
    ? { limits: Object.fromEntries(Object.keys(Object(tier.limits)).map((unit) => [unit, null])) }
    : {}),
})

/** All meters that the cases’ prices name. */
export const meterKeys = (cases: readonly GoldenCase[]): string[] => [
  ...new Set([usageMeter, ...(JSON.stringify(cases).match(/unit-[a-z]+/g) ?? [])]),
]

function prorationCase(vector: Vector, key: string): GoldenCase | undefined {
  const [segment, ...others] = vector.segments ?? []
  const { expected, convention } = vector
  if (!segment?.amount || others.length > 0 || expected.rounded === false || convention) return undefined
  const { period, service, amount } = segment
  const days = daysBetween(period.start, period.end)
  const interval = { unit: days < 28 ? 'week' : days > 31 ? 'year' : 'month', count: 1 }
  const alignment = days < 28 ? { alignment: 'calendar' } : {}
  const prices = [{ id: 'price', model: 'flat', amount }]
  const plan = named(vector, key, prices, {
    interval,
    ...alignment,
    ...(service.trialDays === undefined ? {} : { trialDays: Number(service.trialDays) }),
  })
  const found = base(vector, key, [plan], service.start)
  const anchorDay = days < 28 ? {} : { anchorDay: Number(period.start.slice(8)) }
  return { ...found, subscription: { ...found.subscription, ...anchorDay }, requests: [until(service.end)] }
}

/** Fees in advance, with a fee in arrears beside them that keeps the total above zero. */
function changeCase(vector: Vector, key: string): GoldenCase | undefined {
  const { period, changeOn = '', from = [], to = [], convention } = vector
  const items = [...from, ...to]
  const hasOwnPeriod = items.some((item) => item.period !== undefined || item.type === 'usage')
  if (!period || convention || hasOwnPeriod || changeOn <= period.start) return undefined
  const interval = { unit: 'day', count: daysBetween(period.start, period.end) }
  const priced = ({ id, type, quantity, unitPrice }: Item) => ({
    id,
    model: 'flat',
    amount: times(quantity, unitPrice),
    timing: 'advance',
    ...(type === 'one-time' ? { prorate: false } : {}),
  })
  const other = { id: 'other', model: 'flat', amount: '10000', prorate: false }
  const plans = [
    named(vector, key, [...from.map(priced), other], { interval }),
    named(vector, `${key}-to`, [...to.map(priced), other], { interval }),
  ]
  const change: [string, Record<string, unknown>] = [
    'change',
    { plan: `${key}-to`, effective: `${changeOn}T00:00:00Z` },
  ]
  // It ends with the next period, so that the change may come at the end of this one.
  const end = new Date(Date.parse(period.end) + (Date.parse(period.end) - Date.parse(period.start)))
  return {
    ...base(vector, key, plans, period.start),
    requests: [change, until(end.toISOString().slice(0, 10))],
  }
}

function invoiceCase(vector: Vector, key: string): GoldenCase | undefined {
  const { lines = [], discounts = [], taxes = [], commitment, taxInclusive, convention } = vector
  if (commitment?.pricingUnitRate !== undefined) return undefined
  const { period = october, service = period } =
    [commitment ?? {}, ...lines].find((each) => each.period) ?? {}
  const rate = (id: string) => `${key}-${id}`
  const prices = lines.map((line) => ({
    id: line.id,
    ...feeOf(line.amount ?? times(line.quantity ?? '1', line.unitPrice ?? '0')),
    // What is prorated besides says so itself.
    prorate: line.period !== undefined,
    ...(line.taxes === undefined ? {} : { taxes: line.taxes.map(rate) }),
  }))
  const plan = named(vector, key, prices, {
    ...(taxInclusive ? { taxInclusive } : {}),
    ...convention,
    ...(commitment?.minimum === undefined ? {} : { minimum: { amount: commitment.minimum } }),
    ...(commitment?.maximum === undefined ? {} : { maximum: { amount: commitment.maximum } }),
  })
  const found = base(vector, key, [plan], service.start)
  return {
    ...found,
    subscription: { ...found.subscription, anchorDay: 1 },
    coupons: discounts.map(({ id, type, value, appliesTo }) => ({
      id: rate(id),
      name: id,
      type: type === 'fixed' ? 'fixed' : 'percent',
      value,
      duration: 'forever',
      ...(appliesTo ? { appliesTo } : {}),
      ...(type === 'fixed' ? { currency: vector.currency } : {}),
    })),
    rates: taxes.map(({ id, rate: percent }) => ({
      id: rate(id),
      tax: rate(id),
      percent,
      from: '2010-01-01',
      taxCode: 'only-where-named',
    })),
    requests: [
      ...discounts.map(({ id }): [string, Record<string, unknown>] => [
        'coupons',
        { coupon: rate(id), from: found.subscription.start },
      ]),
      until(service.end),
    ],
  }
}

/** A catalogue takes no fee of a part of a cent; as the price of the one seat that there is it does. */
const feeOf = (amount: string) =>
  (amount.split('.')[1]?.length ?? 0) <= 2
    ? { model: 'flat', amount }
    : { model: 'per-unit', unitPrice: amount }

/** Of two decimals, as text. */
function times(a: string, b: string): string {
  const scale = (text: string) => text.split('.')[1]?.length ?? 0
  const digits = (text: string) => BigInt(text.replace('.', ''))
  const decimals = scale(a) + scale(b)
  const product = (digits(a) * digits(b)).toString().padStart(decimals + 1, '0')
  return decimals === 0 ? product : `${product.slice(0, -decimals)}.${product.slice(-decimals)}`
}
