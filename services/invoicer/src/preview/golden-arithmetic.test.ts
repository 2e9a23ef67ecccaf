import { readFileSync } from 'node:fs'
import { type Decimal, decimal, formatDecimal, round } from '@tidemark/schemas/decimal.ts'
import { type Currency, isCurrency } from '@tidemark/schemas/money.ts'
import { priceSchema } from '@tidemark/schemas/price.ts'
import { type TProperties, Type } from 'typebox'
import { Value } from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { ratePrice } from '../pricing/rate.ts'
import { calendarFields, previewCalendar } from './calendar.ts'
import { creditCapFields, creditNoteFields, previewCreditCap, previewCreditNote } from './credit-note.ts'
import { conventionSchema, type VectorContext } from './input.ts'
import { invoiceFields, previewInvoice } from './invoice.ts'
import { planChangeFields, previewPlanChange } from './plan-change.ts'
import { previewProgressive, progressiveFields } from './progressive.ts'
import { previewProration, prorationFields } from './proration.ts'
import { previewWallet, walletFields } from './wallet.ts'

type Vector = { id: string; kind: string; currency: string; expected: Record<string, unknown> }

const file = new URL('../../golden/pricing-vectors.json', import.meta.url)
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'))

/** Every field of a vector must be known: what is not read would be left out in silence. */
function read<Fields extends TProperties>(vector: Vector, fields: Fields) {
  const known = {
    ...Object.fromEntries(
      'id category kind source currency optional note expected'
        .split(' ')
        .map((name) => [name, Type.Optional(Type.Unknown())]),
    ),
    convention: Type.Optional(conventionSchema),
  }
  const schema = Type.Object({ ...fields, ...known }, { additionalProperties: false })
  return Value.Parse(schema, vector)
}

function contextOf({ currency, expected, ...rest }: Vector): VectorContext {
  if (!isCurrency(currency)) throw new Error(`${currency} is no currency`)
  const { convention = {} } = Value.Parse(Type.Object({ convention: Type.Optional(conventionSchema) }), rest)
  const decimals = expected.rounded === false ? { exactDecimals: Number(expected.decimals) } : {}
  return { currency, convention, ...decimals }
}

const rateOf = (price: unknown, currency: Currency) => (quantity: Decimal) =>
  ratePrice(Value.Parse(priceSchema, { id: 'price', ...Object(price) }), { quantity }, currency).amountMicros

const kinds: Record<string, (vector: Vector) => Record<string, unknown>> = {
  calendar: (vector) => previewCalendar(read(vector, calendarFields)),
  proration: (vector) => previewProration(read(vector, prorationFields), contextOf(vector)),
  'plan-change': (vector) => previewPlanChange(read(vector, planChangeFields), contextOf(vector)),
  invoice: (vector) => previewInvoice(read(vector, invoiceFields), contextOf(vector)),
  'credit-note': (vector) => previewCreditNote(read(vector, creditNoteFields), contextOf(vector)),
  'credit-cap': (vector) => previewCreditCap(read(vector, creditCapFields), contextOf(vector)),
  wallet: (vector) => previewWallet(read(vector, walletFields), contextOf(vector)),
  progressive: (vector) => {
    const { price, ...input } = read(vector, { ...progressiveFields, price: Type.Unknown() })
    const context = contextOf(vector)
    return previewProgressive(input, context, rateOf(price, context.currency))
  },
}

const ours = vectors.filter(({ kind }) => Object.hasOwn(kinds, kind))

test('every vector of these kinds runs, the optional ones too', () => {
  const counts = Map.groupBy(ours, ({ kind }) => kind)
  expect(Object.fromEntries([...counts].map(([kind, { length }]) => [kind, length]))).toEqual({
    calendar: 7,
    proration: 22,
    'plan-change': 17,
    invoice: 40,
    'credit-note': 4,
    'credit-cap': 4,
    wallet: 5,
    progressive: 3,
  })
})

describe('golden vectors', () => {
  test.each(ours)('$id', (vector) => {
    const answer = kinds[vector.kind]?.(vector) ?? {}
    const { rounded: _, decimals: __, ...expected } = vector.expected
    expect(asDecimals(pick(answer, expected))).toEqual(asDecimals(expected))
    if (vector.kind === 'plan-change' || vector.id === 'G21')
      if (Array.isArray(expected.lines)) expect(answer.lines).toHaveLength(expected.lines.length)
    expect(answer.trace).toBeInstanceOf(Array)
  })
})

/** Of an answer what is expected: lines by id; factors at the places printed. */
function pick(answer: unknown, expected: unknown, name = ''): unknown {
  if (Array.isArray(expected)) return expected.map((each, index) => pick(itemFor(answer, each, index), each))
  if (typeof expected === 'object' && expected !== null)
    return Object.fromEntries(
      Object.entries(expected).map(([key, value]) => [key, pick(Object(answer)[key], value, key)]),
    )
  if (name === 'factor' && typeof answer === 'string')
    return formatDecimal(round(decimal(answer), decimal(String(expected)).scale))
  return answer
}

function itemFor(answer: unknown, expected: unknown, index: number): unknown {
  if (!Array.isArray(answer)) return undefined
  const id = Object(expected).id
  return id === undefined ? answer[index] : answer.find((each) => Object(each).id === id)
}

/** "0.5" equals "0.50"; a date is no decimal. */
function asDecimals(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asDecimals)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, asDecimals(each)]))
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? formatDecimal(decimal(value)) : value
}
