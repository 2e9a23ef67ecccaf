import { type Static, Type } from 'typebox'
import {
  addressSchema,
  closed,
  currencyField,
  externalKeyField,
  instantField,
  keyField,
  nameField,
  taxIdSchema,
} from './catalogue-fields.ts'

const taxExemptions = ['none', 'exempt', 'reverse'] as const

const processorId = Type.String({ minLength: 1, maxLength: 255 })

/** A metered key that belongs to the customer from `from` until before `to`. */
const subjectSchema = Type.Object(
  {
    key: externalKeyField,
    from: Type.Optional(instantField),
    to: Type.Optional(instantField),
    subscription: Type.Optional(
      Type.String({
        ...externalKeyField,
        description:
          'The one subscription of the customer that bills it; by default whichever bills the meter',
      }),
    ),
  },
  {
    ...closed,
    description: 'A metered key that belongs to the customer from `from` until before `to`',
  },
)

export const customerSchema = Type.Object(
  {
    key: externalKeyField,
    name: nameField,
    email: Type.String({
      pattern: '^[^@\\s]+@[^@\\s]+$',
      maxLength: 254,
      description: 'An address such as ada@example.com',
    }),
    address: Type.Optional(addressSchema),
    currency: currencyField,
    timeZone: Type.String({ maxLength: 64, description: 'IANA name such as Europe/Berlin' }),
    taxId: Type.Optional(taxIdSchema),
    taxExemption: Type.Optional(
      Type.Enum(taxExemptions, {
        description: 'none (default); exempt: pays no tax; reverse: a business that owes the tax itself',
      }),
    ),
    paymentTerms: Type.Optional(
      Type.Object(
        { dueDays: Type.Integer({ minimum: 0, maximum: 365, description: 'Days from issue until due' }) },
        closed,
      ),
    ),
    homeRegion: Type.Optional(
      Type.String({ ...keyField, description: 'Where the customer’s data belongs, such as eu-central' }),
    ),
    processorCustomerId: Type.Optional(processorId),
    paymentMethodId: Type.Optional(processorId),
    processorCustomerIds: Type.Optional(
      Type.Record(keyField, processorId, {
        maxProperties: 10,
        description: 'The customer’s ids with other processors, by the processor’s name',
      }),
    ),
    metadata: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,40}$' }), Type.String({ maxLength: 500 }), {
        maxProperties: 50,
        description: 'Whatever you want to find again; never interpreted',
      }),
    ),
    subjects: Type.Array(subjectSchema, { maxItems: 1000 }),
  },
  closed,
)

export type Customer = Static<typeof customerSchema>
export type TaxExemption = (typeof taxExemptions)[number]
