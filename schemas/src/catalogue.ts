import { type Static, Type } from 'typebox'
import { keyPattern, keyText } from './identifiers.ts'
import { type Meter, meterSchema } from './meter.ts'
import { currencies } from './money.ts'

const closed = { additionalProperties: false }
const key = Type.String({ pattern: keyPattern, description: keyText })
const name = Type.String({ minLength: 1, maxLength: 200 })
/** Keys that come from other systems: anything printable. */
const externalKey = Type.String({
  pattern: '^[^\\u0000-\\u001f\\u007f]{1,256}$',
  description: '1 to 256 characters without control characters',
})
const currency = Type.Enum(currencies)
const instant = Type.String({ maxLength: 64, description: 'RFC 3339 with a zone' })
const unitPrice = Type.String({
  pattern: '^\\d{1,12}(\\.\\d{1,12})?$',
  description: 'Decimal text in major units of the currency, such as 0.0175, with at most 12 decimals',
})
const amount = Type.String({
  pattern: '^\\d{1,12}(\\.\\d{1,6})?$',
  description: 'Decimal text in major units of the currency, such as 29.00, with at most 6 decimals',
})
const quantity = Type.String({
  pattern: '^\\d{1,29}(\\.\\d{1,9})?$',
  description: 'Decimal text such as 1000 or 0.5, with at most 9 decimals',
})

const description = Type.Optional(name)

/** Due once per period, whatever was used. */
export const flatPriceSchema = Type.Object(
  { id: key, model: Type.Literal('flat'), amount, description },
  closed,
)

export const perUnitPriceSchema = Type.Object(
  { id: key, model: Type.Literal('per-unit'), meter: key, unitPrice, description },
  closed,
)

const tierSchema = Type.Object(
  {
    upTo: Type.Union([quantity, Type.Null()], {
      description: 'Inclusive and cumulative; null in the last tier, which has no end',
    }),
    unitPrice,
    flatFee: Type.Optional(amount),
  },
  closed,
)

/** Each part of the quantity costs what its tier says; a tier’s flat fee is due in full once the tier is entered. */
export const graduatedPriceSchema = Type.Object(
  {
    id: key,
    model: Type.Literal('graduated'),
    meter: key,
    tiers: Type.Array(tierSchema, { minItems: 1, maxItems: 100 }),
    description,
  },
  closed,
)

/** One schema per price model, by its name. */
export const priceSchemas = {
  flat: flatPriceSchema,
  'per-unit': perUnitPriceSchema,
  graduated: graduatedPriceSchema,
} as const

export type FlatPrice = Static<typeof flatPriceSchema>
export type PerUnitPrice = Static<typeof perUnitPriceSchema>
export type GraduatedPrice = Static<typeof graduatedPriceSchema>
export type Price = FlatPrice | PerUnitPrice | GraduatedPrice
export type PriceModel = Price['model']

export const priceModels: readonly PriceModel[] = ['flat', 'per-unit', 'graduated']

export const isPriceModel = (text: unknown): text is PriceModel => priceModels.some((model) => model === text)

export const planSchema = Type.Object(
  {
    id: key,
    name,
    currency,
    prices: Type.Array(Type.Union([flatPriceSchema, perUnitPriceSchema, graduatedPriceSchema]), {
      minItems: 1,
      maxItems: 100,
    }),
  },
  closed,
)

export const customerSchema = Type.Object(
  {
    key: externalKey,
    name,
    email: Type.String({
      pattern: '^[^@\\s]+@[^@\\s]+$',
      maxLength: 254,
      description: 'An address such as ada@example.com',
    }),
    currency,
    timeZone: Type.String({ maxLength: 64, description: 'IANA name such as Europe/Berlin' }),
    processorCustomerId: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    paymentMethodId: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    subjects: Type.Array(
      Type.Object(
        { key: externalKey, from: Type.Optional(instant), to: Type.Optional(instant) },
        {
          ...closed,
          description: 'A metered key that belongs to the customer from `from` until before `to`',
        },
      ),
      { maxItems: 1000 },
    ),
  },
  closed,
)

export const subscriptionSchema = Type.Object(
  {
    key: externalKey,
    customer: externalKey,
    plan: key,
    start: instant,
    anchorDay: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 31, description: 'By default the day of the start' }),
    ),
  },
  closed,
)

const manyItems = { maxItems: 100_000 }

/** A tenant’s whole catalogue or a part of it: what is not named stays as it is. */
export const catalogueSchema = Type.Object(
  {
    meters: Type.Optional(Type.Array(meterSchema, manyItems)),
    plans: Type.Optional(Type.Array(planSchema, manyItems)),
    customers: Type.Optional(Type.Array(customerSchema, manyItems)),
    subscriptions: Type.Optional(Type.Array(subscriptionSchema, manyItems)),
  },
  closed,
)

export type Plan = Static<typeof planSchema>
export type Customer = Static<typeof customerSchema>
export type Subscription = Static<typeof subscriptionSchema>
export type Catalogue = {
  meters?: Meter[]
  plans?: Plan[]
  customers?: Customer[]
  subscriptions?: Subscription[]
}

/** A fault of a catalogue: where, such as `plans[0].prices[2].meter`, and what is wrong and how to mend it. */
export type CatalogueFault = { path: string; reason: string }
