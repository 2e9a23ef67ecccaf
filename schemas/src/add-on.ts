import { type Static, Type } from 'typebox'
import { closed, currencyField, keyField, nameField } from './catalogue-fields.ts'
import { versionStateField } from './plan.ts'
import { priceSchema } from './price.ts'

/** A named list of prices that a subscription adds to its plan’s; versioned as plans are. */
export const addOnSchema = Type.Object(
  {
    id: keyField,
    name: nameField,
    currency: currencyField,
    prices: Type.Array(priceSchema, { minItems: 1, maxItems: 100 }),
  },
  closed,
)

/** An add-on as a catalogue file or a request brings it. */
export const addOnItemSchema = Type.Object(
  { ...addOnSchema.properties, state: Type.Optional(versionStateField) },
  closed,
)

export type AddOn = Static<typeof addOnSchema>
export type AddOnItem = Static<typeof addOnItemSchema>
