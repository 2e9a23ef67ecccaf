import { type Static, Type } from 'typebox'
import { closed, externalKeyField, instantField, keyField } from './catalogue-fields.ts'
import {
  billingModeField,
  subscriptionAddOnsField,
  subscriptionQuantityField,
} from './subscription-change.ts'

/** A subscription as it begins; from then on it is changed through its own requests. */
export const subscriptionSchema = Type.Object(
  {
    key: externalKeyField,
    customer: externalKeyField,
    plan: keyField,
    start: instantField,
    anchorDay: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 31, description: 'By default the day of the start' }),
    ),
    quantity: Type.Optional(subscriptionQuantityField),
    addOns: Type.Optional(subscriptionAddOnsField),
    trialDays: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 730,
        description: "Local days from the start; by default the plan's",
      }),
    ),
    coupons: Type.Optional(
      Type.Array(keyField, { maxItems: 20, description: 'Discounts from the start on' }),
    ),
    source: Type.Optional(
      Type.String({
        ...externalKeyField,
        description: 'The system that keeps it: tidemark (default), or the one that it is taken over from',
      }),
    ),
    billingMode: Type.Optional(billingModeField),
  },
  closed,
)

export type Subscription = Static<typeof subscriptionSchema>
