import { type Static, Type } from 'typebox'
import { amountField, closed, currencyField, keyField, nameField } from './catalogue-fields.ts'
import type { Currency } from './money.ts'
import { intervalSchema, type Price, type PriceInterval, priceSchema } from './price.ts'

/** What at least, or at most, a period or a longer term costs; a true-up or cap line makes it so. */
const minimumSchema = Type.Object(
  {
    amount: amountField,
    term: Type.Optional(
      Type.Object(intervalSchema.properties, {
        ...closed,
        description: 'Settled at the end of each term, such as a year; by default each period',
      }),
    ),
    prorate: Type.Optional(
      Type.Boolean({ description: 'By the days served of a part of a period; true by default' }),
    ),
  },
  closed,
)

const maximumSchema = Type.Object(
  { amount: amountField, prorate: Type.Optional(Type.Boolean({ description: 'true by default' })) },
  closed,
)

/**
 * A version of a plan: once published it never changes. The decisions in which products of the field differ are fields;
 * docs/pricing.md tells each, and `planTerms` their defaults.
 */
export const planSchema = Type.Object(
  {
    id: keyField,
    name: nameField,
    currency: currencyField,
    interval: Type.Optional(
      Type.Object(intervalSchema.properties, {
        ...closed,
        description: 'The billing period; a month by default',
      }),
    ),
    alignment: Type.Optional(
      Type.Enum(['anchor', 'calendar'], {
        description: 'Periods begin on the day of the anchor (default), or where weeks, months and years do',
      }),
    ),
    trialDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 730 })),
    dayCount: Type.Optional(Type.Enum(['half-open', 'inclusive', 'fixed30', 'second'])),
    carryTiers: Type.Optional(
      Type.Boolean({ description: 'A plan change goes on in the tiers where the plan before was; false' }),
    ),
    trialUsage: Type.Optional(Type.Enum(['unbilled', 'billed'])),
    pauseUsage: Type.Optional(Type.Enum(['unbilled', 'billed'])),
    pauseFees: Type.Optional(Type.Enum(['credit', 'keep'])),
    cancelFees: Type.Optional(Type.Enum(['credit', 'keep'])),
    taxRounding: Type.Optional(Type.Enum(['rate', 'line', 'invoice'])),
    taxInclusive: Type.Optional(Type.Boolean({ description: 'Amounts contain the tax; false by default' })),
    inclusiveRounding: Type.Optional(
      Type.Enum(['net', 'tax'], { description: 'The part of an amount with tax that is rounded' }),
    ),
    minimum: Type.Optional(minimumSchema),
    maximum: Type.Optional(maximumSchema),
    prices: Type.Array(priceSchema, { minItems: 1, maxItems: 100 }),
  },
  closed,
)

export type Plan = Static<typeof planSchema>

/** Draft: may change. Published: never changes. Deprecated: takes no new subscriptions, those that exist go on. */
const versionStates = ['draft', 'published', 'deprecated'] as const
export type VersionState = (typeof versionStates)[number]

/** By default what is applied is published at once. */
export const versionStateField = Type.Enum(versionStates, {
  description: 'draft: not yet to be subscribed to; deprecated: no longer; published at once when left out',
})

/** A plan as a catalogue file or a request brings it. */
export const planItemSchema = Type.Object(
  { ...planSchema.properties, state: Type.Optional(versionStateField) },
  closed,
)
export type PlanItem = Static<typeof planItemSchema>

export type Commitment = Static<typeof minimumSchema>

/** A plan's decisions with their defaults filled in. */
export type PlanTerms = Required<
  Pick<
    Plan,
    | 'interval'
    | 'alignment'
    | 'trialDays'
    | 'dayCount'
    | 'carryTiers'
    | 'trialUsage'
    | 'pauseUsage'
    | 'pauseFees'
    | 'cancelFees'
    | 'taxRounding'
    | 'taxInclusive'
    | 'inclusiveRounding'
  >
>

const month: PriceInterval = { unit: 'month', count: 1 }

/** A definition is kept as it was given, since its hash is of that; whoever decides by it reads its terms. */
export const planTerms = (plan: Plan): PlanTerms => ({
  interval: plan.interval ?? month,
  alignment: plan.alignment ?? 'anchor',
  trialDays: plan.trialDays ?? 0,
  dayCount: plan.dayCount ?? 'half-open',
  carryTiers: plan.carryTiers ?? false,
  trialUsage: plan.trialUsage ?? 'unbilled',
  pauseUsage: plan.pauseUsage ?? 'unbilled',
  pauseFees: plan.pauseFees ?? 'credit',
  cancelFees: plan.cancelFees ?? 'credit',
  taxRounding: plan.taxRounding ?? 'rate',
  taxInclusive: plan.taxInclusive ?? false,
  inclusiveRounding: plan.inclusiveRounding ?? 'net',
})

type Priced = Pick<Plan, 'currency' | 'prices'>

/** What a customer who pays in that currency is charged by; a price without a currency is in its plan’s. */
export const pricesIn = ({ currency, prices }: Priced, paid: Currency): Price[] =>
  prices.filter((price) => (price.currency ?? currency) === paid)

/** The currencies in which a plan or an add-on can be paid. */
export const currenciesOf = ({ currency, prices }: Priced): Currency[] => [
  ...new Set(prices.map((price) => price.currency ?? currency)),
]
