import { amountSchema } from '@tidemark/schemas/price-field.ts'
import { Type } from 'typebox'
import {
  bodyOf,
  closed,
  dayCountField,
  idField,
  most,
  percentField,
  periodField,
  quantityField,
  rateField,
  signedField,
  taxIdsField,
  timeZoneField,
} from './fields.ts'

const served = { period: Type.Optional(periodField), service: Type.Optional(periodField) }

/** An invoice’s parts in the order in which they are computed. */
export const invoiceBody = bodyOf('invoice', {
  lines: Type.Array(
    Type.Object(
      {
        id: idField,
        amount: Type.Optional(signedField),
        quantity: Type.Optional(signedField),
        unitPrice: Type.Optional(signedField),
        taxes: taxIdsField,
        ...served,
      },
      closed,
    ),
    { minItems: 1, maxItems: most.lines },
  ),
  commitment: Type.Optional(
    Type.Object(
      {
        minimum: Type.Optional(amountSchema),
        maximum: Type.Optional(amountSchema),
        pricingUnitRate: Type.Optional(rateField),
        taxes: taxIdsField,
        ...served,
      },
      closed,
    ),
  ),
  discounts: Type.Optional(
    Type.Array(
      Type.Object(
        {
          id: idField,
          type: Type.Enum(['percentage', 'fixed']),
          value: quantityField,
          remaining: Type.Optional(quantityField),
          appliesTo: Type.Optional(Type.Array(idField, { maxItems: most.lines })),
        },
        closed,
      ),
      { maxItems: most.discounts },
    ),
  ),
  taxes: Type.Optional(
    Type.Array(Type.Object({ id: idField, rate: percentField }, closed), { maxItems: 100 }),
  ),
  taxInclusive: Type.Optional(Type.Boolean()),
  credits: Type.Optional(amountSchema),
  timeZone: timeZoneField,
  convention: Type.Optional(
    Type.Object(
      {
        dayCount: dayCountField,
        taxRounding: Type.Optional(Type.Enum(['rate', 'line', 'invoice'])),
        inclusiveRounding: Type.Optional(Type.Enum(['net', 'tax'])),
      },
      closed,
    ),
  ),
})
