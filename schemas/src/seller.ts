import { type Static, Type } from 'typebox'
import { addressSchema, closed, nameField, taxIdSchema } from './catalogue-fields.ts'

/** Who sells: the tenant’s legal person, as invoices name it. */
export const sellerSchema = Type.Object(
  {
    name: nameField,
    email: Type.Optional(Type.String({ pattern: '^[^@\\s]+@[^@\\s]+$', maxLength: 254 })),
    address: addressSchema,
    taxIds: Type.Array(taxIdSchema, { maxItems: 20 }),
    invoiceSeries: Type.Optional(
      Type.Object(
        {
          prefix: Type.String({
            pattern: '^[A-Z0-9][A-Z0-9/_-]{0,30}$',
            description: 'What precedes an invoice’s number: ACME makes ACME-000042',
          }),
        },
        closed,
      ),
    ),
  },
  closed,
)

export type Seller = Static<typeof sellerSchema>
