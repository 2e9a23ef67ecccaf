import { type Static, Type } from 'typebox'
import { closed, currencyField, dateField } from './catalogue-fields.ts'

/** The tenant’s own rate from a date on: one `from` costs `rate` in `to`. */
export const exchangeRateSchema = Type.Object(
  {
    from: currencyField,
    to: currencyField,
    on: dateField,
    rate: Type.String({
      pattern: '^\\d{1,12}(\\.\\d{1,12})?$',
      description: 'Decimal text such as 1.0842, with at most 12 decimals',
    }),
  },
  closed,
)

export type ExchangeRate = Static<typeof exchangeRateSchema>
