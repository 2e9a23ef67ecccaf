import { type Static, Type } from 'typebox'
import { keyPattern, keyText } from './identifiers.ts'
import { currencies } from './money.ts'

// Fields that several nouns of a catalogue share.

export const closed = { additionalProperties: false }
export const keyField = Type.String({ pattern: keyPattern, description: keyText })
export const nameField = Type.String({ minLength: 1, maxLength: 200 })
/** Keys that come from other systems: anything printable. */
export const externalKeyField = Type.String({
  pattern: '^[^\\u0000-\\u001f\\u007f]{1,256}$',
  description: '1 to 256 characters without control characters',
})
export const currencyField = Type.Enum(currencies, { title: 'Currency' })
export const instantField = Type.String({ maxLength: 64, description: 'RFC 3339 with a zone' })
export const dateField = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\d$',
  description: 'A date such as 2026-11-01',
})
export const amountField = Type.String({
  pattern: '^\\d{1,12}(\\.\\d{1,6})?$',
  description: 'Decimal text in major units of the currency, such as 29.00, with at most 6 decimals',
})
export const countryField = Type.String({
  pattern: '^[A-Z]{2}$',
  description: 'ISO 3166-1 code of two capital letters, such as DE',
})

export const addressSchema = Type.Object(
  {
    line1: Type.Optional(nameField),
    line2: Type.Optional(nameField),
    postalCode: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    city: Type.Optional(nameField),
    region: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'State or province, such as CA' }),
    ),
    country: countryField,
  },
  closed,
)

export const taxIdSchema = Type.Object(
  {
    type: Type.String({
      pattern: '^[a-z]{2}_[a-z0-9]{1,30}$',
      description: 'The country and the kind of number as processors name it, such as eu_vat, gb_vat, us_ein',
    }),
    value: Type.String({ pattern: '^[A-Za-z0-9 ./-]{1,40}$', description: 'Such as DE123456789' }),
  },
  closed,
)

export type Address = Static<typeof addressSchema>
export type TaxId = Static<typeof taxIdSchema>
