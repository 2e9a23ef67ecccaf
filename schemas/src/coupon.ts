import { type Static, Type } from 'typebox'
import { closed, currencyField, instantField, keyField, nameField } from './catalogue-fields.ts'

/**
 * A discount that subscriptions are given. What it is worth never changes, since invoices rest on it; its name, its last
 * day and its number of redemptions may.
 */
export const couponSchema = Type.Object(
  {
    id: keyField,
    name: nameField,
    type: Type.Enum(['percent', 'fixed']),
    value: Type.String({
      pattern: '^\\d{1,12}(\\.\\d{1,6})?$',
      description: 'Percent up to 100, or an amount in major units: decimal text such as 12.5',
    }),
    currency: Type.Optional(currencyField),
    duration: Type.Enum(['once', 'repeating', 'forever']),
    periods: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1200, description: 'Of a repeating coupon: on how many invoices' }),
    ),
    appliesTo: Type.Optional(
      Type.Array(keyField, {
        minItems: 1,
        maxItems: 100,
        description: 'Ids of prices; by default all lines',
      }),
    ),
    redeemBy: Type.Optional(
      Type.String({ ...instantField, description: 'Given to subscriptions before this instant only' }),
    ),
    maxRedemptions: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000_000,
        description: 'To how many subscriptions it is given',
      }),
    ),
  },
  closed,
)

export type Coupon = Static<typeof couponSchema>
