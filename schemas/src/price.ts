import { type Static, Type } from 'typebox'
import { keyPattern, keyText } from './identifiers.ts'
import { currencies } from './money.ts'
import {
  amountSchema as amount,
  countSchema as count,
  factorSchema,
  percentSchema as percent,
  quantitySchema as quantity,
  sizeSchema as size,
  unitPriceSchema as unitPrice,
} from './price-field.ts'
import { quantityRoundingSchema } from './quantity-rounding.ts'

const closed = { additionalProperties: false }
const key = Type.String({ pattern: keyPattern, description: keyText })
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength })

/** How often something is due: `{ unit: 'month', count: 3 }` is each quarter. */
export const intervalSchema = Type.Object(
  {
    unit: Type.Enum(['day', 'week', 'month', 'year']),
    count: Type.Integer({ minimum: 1, maximum: 366 }),
  },
  closed,
)
export type PriceInterval = Static<typeof intervalSchema>

/** What every price has. */
const common = {
  id: key,
  description: Type.Optional(text(200)),
  currency: Type.Optional(Type.Enum(currencies, { title: 'Currency', description: "By default the plan's" })),
  interval: Type.Optional(intervalSchema),
  timing: Type.Optional(
    Type.Enum(['advance', 'arrears'], {
      description: 'When a price without a meter is due: where its interval begins or, by default, ends',
    }),
  ),
  prorate: Type.Optional(
    Type.Boolean({
      description: 'Whether a part of an interval costs its part of the fee; by default it does',
    }),
  ),
  taxCode: Type.Optional(text(64)),
  taxes: Type.Optional(Type.Array(key, { maxItems: 10, description: "The tenant's own tax rates" })),
}

/** What prices of a quantity have: of a meter's usage, or without a meter of the subscription's own quantity (seats). */
const measured = {
  ...common,
  meter: Type.Optional(key),
  filter: Type.Optional(
    Type.Record(
      Type.String({ pattern: keyPattern }),
      Type.Array(Type.String({ maxLength: 256 }), { minItems: 1, maxItems: 100 }),
      { maxProperties: 16, description: "Which of the meter's events are priced: values by dimension" },
    ),
  ),
  usageRounding: Type.Optional(quantityRoundingSchema),
  carryTiers: Type.Optional(
    Type.Boolean({
      description:
        "Whether a change within a period goes on in the tiers already reached; by default the plan's",
    }),
  ),
  commitment: Type.Optional(
    Type.Object(
      { minimum: amount, overageFactor: Type.Optional(factorSchema) },
      {
        ...closed,
        description:
          'The least that this price costs per period; what is above it is multiplied by overageFactor',
      },
    ),
  ),
}

const freeUnits = Type.Optional(quantity)
const zeroUsageFlatFee = Type.Optional(
  Type.Boolean({ description: "Whether the first tier's flat fee is due without any usage; by default not" }),
)
const upTo = Type.Union([quantity, Type.Null()], {
  description: 'Inclusive and cumulative; null in the last tier, which has no end',
})

export const tierSchema = Type.Object({ upTo, unitPrice, flatFee: Type.Optional(amount) }, closed)
const tiers = Type.Array(tierSchema, { minItems: 1, maxItems: 100 })
const percentTierSchema = Type.Object({ upTo, rate: percent, flatFee: Type.Optional(amount) }, closed)

/** `max` counts the blocks of this tier alone. */
export const blockTierSchema = Type.Object(
  { size, max: Type.Union([count, Type.Null()]), price: amount },
  closed,
)
const blockTiers = Type.Array(blockTierSchema, { minItems: 1, maxItems: 100 })

/** A unit of a price with several: in a plan the meter's key. */
const byUnit = { maxProperties: 16, minProperties: 1 }
const unitName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' })

/** One schema per price model, by its name; docs/pricing.md explains each field. */
export const priceSchemas = {
  flat: Type.Object({ model: Type.Literal('flat'), ...common, amount }, closed),
  'per-unit': Type.Object(
    {
      model: Type.Literal('per-unit'),
      ...measured,
      unitPrice,
      freeUnits,
      filters: Type.Optional(
        Type.Array(
          Type.Object(
            {
              match: Type.Record(Type.String({ pattern: keyPattern }), Type.String({ maxLength: 256 }), {
                minProperties: 1,
                maxProperties: 16,
              }),
              unitPrice,
            },
            closed,
          ),
          { maxItems: 1000, description: 'Unit prices by dimension values: the most specific match wins' },
        ),
      ),
    },
    closed,
  ),
  graduated: Type.Object(
    { model: Type.Literal('graduated'), ...measured, tiers, freeUnits, zeroUsageFlatFee },
    closed,
  ),
  volume: Type.Object(
    { model: Type.Literal('volume'), ...measured, tiers, freeUnits, zeroUsageFlatFee },
    closed,
  ),
  'graduated-percentage': Type.Object(
    {
      model: Type.Literal('graduated-percentage'),
      ...measured,
      tiers: Type.Array(percentTierSchema, { minItems: 1, maxItems: 100 }),
      zeroUsageFlatFee,
    },
    closed,
  ),
  package: Type.Object(
    {
      model: Type.Literal('package'),
      ...measured,
      packageSize: size,
      packagePrice: amount,
      freeUnits,
      packageRounding: Type.Optional(
        Type.Enum(['up', 'down'], {
          description: 'Whether a started package is a whole one; by default it is',
        }),
      ),
    },
    closed,
  ),
  percentage: Type.Object(
    {
      model: Type.Literal('percentage'),
      ...measured,
      rate: percent,
      fixedFee: Type.Optional(amount),
      freeEvents: Type.Optional(count),
      freeAmount: Type.Optional(quantity),
      minPerEvent: Type.Optional(amount),
      maxPerEvent: Type.Optional(amount),
    },
    closed,
  ),
  blocks: Type.Object(
    {
      model: Type.Literal('blocks'),
      ...measured,
      mode: Type.Optional(Type.Enum(['all-tiers', 'top-tier'])),
      tiers: Type.Optional(blockTiers),
      units: Type.Optional(Type.Record(unitName, blockTiers, byUnit)),
    },
    closed,
  ),
  capacity: Type.Object(
    {
      model: Type.Literal('capacity'),
      ...measured,
      tiers: Type.Array(
        Type.Object(
          { price: amount, limits: Type.Record(unitName, Type.Union([quantity, Type.Null()]), byUnit) },
          closed,
        ),
        { minItems: 1, maxItems: 100 },
      ),
    },
    closed,
  ),
  'graduated-prorated': Type.Object(
    { model: Type.Literal('graduated-prorated'), ...measured, tiers, zeroUsageFlatFee },
    closed,
  ),
} as const

export type PriceModel = keyof typeof priceSchemas
export type PriceOf<Model extends PriceModel> = Static<(typeof priceSchemas)[Model]>
export type Price = { [Model in PriceModel]: PriceOf<Model> }[PriceModel]
export type Tier = Static<typeof tierSchema>
export type PercentTier = Static<typeof percentTierSchema>
export type BlockTier = Static<typeof blockTierSchema>

export const priceModels = Object.keys(priceSchemas) as PriceModel[]

export const isPriceModel = (text: unknown): text is PriceModel => priceModels.some((model) => model === text)

/** A price of any model. For faults that name the field at fault, check with the schema of the model it names. */
export const priceSchema = Type.Union(
  [
    priceSchemas.flat,
    priceSchemas['per-unit'],
    priceSchemas.graduated,
    priceSchemas.volume,
    priceSchemas['graduated-percentage'],
    priceSchemas.package,
    priceSchemas.percentage,
    priceSchemas.blocks,
    priceSchemas.capacity,
    priceSchemas['graduated-prorated'],
  ],
  { title: 'Price' },
)
