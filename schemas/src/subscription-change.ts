import { type Static, Type } from 'typebox'
import { closed, instantField, keyField } from './catalogue-fields.ts'

export const subscriptionQuantityField = Type.String({
  pattern: '^\\d{1,12}(\\.\\d{1,9})?$',
  description: 'What prices without a meter count, such as seats: decimal text such as 5; 1 by default',
})

export const subscriptionAddOnSchema = Type.Object(
  { id: keyField, quantity: Type.Optional(subscriptionQuantityField) },
  { ...closed, description: 'An add-on in its newest version; how many of it, 1 by default' },
)
export const subscriptionAddOnsField = Type.Array(subscriptionAddOnSchema, { maxItems: 50 })

export const billingModeField = Type.Enum(['tidemark', 'old'], {
  description: 'Which side bills: Tidemark (default), or the old system that it is taken over from',
})

const effective = Type.Optional(
  Type.String({
    maxLength: 64,
    description:
      'now (default), period_end (where the period ends that is under way), or an instant: RFC 3339 with a zone, not before what is billed',
  }),
)

/** Requests that change a subscription, by the last part of their address. */
export const subscriptionChangeSchemas = {
  change: Type.Object(
    {
      effective,
      plan: Type.Optional(keyField),
      quantity: Type.Optional(subscriptionQuantityField),
      addOns: Type.Optional({
        ...subscriptionAddOnsField,
        description: 'All of them: those that are not named are removed',
      }),
      billingMode: Type.Optional(billingModeField),
    },
    closed,
  ),
  pause: Type.Object({ effective }, closed),
  resume: Type.Object({ effective }, closed),
  cancel: Type.Object(
    {
      effective: Type.Optional(
        Type.String({
          maxLength: 64,
          description:
            'now (default), period_end, an instant, or never: takes back a cancellation that has not come yet',
        }),
      ),
    },
    closed,
  ),
  'extend-trial': Type.Object(
    {
      until: Type.String({
        ...instantField,
        description: 'The instant at which the trial ends instead, RFC 3339 with a zone',
      }),
    },
    closed,
  ),
  coupons: Type.Object(
    {
      coupon: keyField,
      from: Type.Optional({
        ...instantField,
        description: 'Invoices of periods that end after it; now by default',
      }),
    },
    closed,
  ),
} as const

type Schemas = typeof subscriptionChangeSchemas
export type ChangeRequest = Static<Schemas['change']>
/** Of a pause, its end and a cancellation. */
export type EffectiveRequest = Static<Schemas['pause']>
export type ExtendTrialRequest = Static<Schemas['extend-trial']>
export type CouponRequest = Static<Schemas['coupons']>
export type SubscriptionAddOn = Static<typeof subscriptionAddOnSchema>
