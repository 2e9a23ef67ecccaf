import { type Static, Type } from 'typebox'
import { closed, externalKeyField, instantField, keyField } from './catalogue-fields.ts'

/** A subscription as a catalogue file brings it: it begins there and is changed through its own requests. */
export const subscriptionSchema = Type.Object(
  {
    key: externalKeyField,
    customer: externalKeyField,
    plan: keyField,
    start: instantField,
    anchorDay: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 31, description: 'By default the day of the start' }),
    ),
  },
  closed,
)

export type Subscription = Static<typeof subscriptionSchema>
