import type { FieldError } from '@tidemark/infra/process/field-errors.ts'
import { closed, countryField, dateField, keyField, nameField } from '@tidemark/schemas/catalogue-fields.ts'
import { isLocalDate, type LocalDate } from '@tidemark/schemas/local-date.ts'
import { type Static, Type } from 'typebox'

/** A rate of the tenant's own: where, for what and from when it holds. */
export const taxRateSchema = Type.Object(
  {
    id: Type.String({
      ...keyField,
      description: 'Names the rate; a change of it is a row with a later from',
    }),
    tax: Type.String({
      ...keyField,
      description:
        'Which tax it is of, such as vat: of one tax only the most specific rate applies to a line',
    }),
    percent: Type.String({
      pattern: '^\\d{1,3}(\\.\\d{1,12})?$',
      description: 'Percent as decimal text, such as 8.875',
    }),
    from: dateField,
    to: Type.Optional(
      Type.String({ ...dateField, description: 'The first date on which it holds no more; none by default' }),
    ),
    country: Type.Optional(
      Type.String({ ...countryField, description: 'Where the customer is; everywhere by default' }),
    ),
    region: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'State or province of that country, such as CA',
      }),
    ),
    taxCode: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Only for lines whose price has this tax code',
      }),
    ),
    description: Type.Optional(nameField),
  },
  closed,
)

export type TaxRate = Static<typeof taxRateSchema>

/** What the shape of rates cannot say. */
export function taxRateFaults(rates: readonly TaxRate[]): FieldError[] {
  const seen = new Map<string, number>()
  return rates.flatMap((rate, index) => {
    const { id, from, to, region, country } = rate
    const at = (field: string) => `rates.${index}.${field}`
    const faults: FieldError[] = []
    for (const [field, date] of [
      ['from', from],
      ['to', to],
    ] as const)
      if (date !== undefined && !isLocalDate(date))
        faults.push({ field: at(field), reason: `"${date}" is a date that no calendar has` })
    if (to !== undefined && to <= from)
      faults.push({ field: at('to'), reason: `must come after from, ${from}` })
    if (region !== undefined && country === undefined)
      faults.push({ field: at('country'), reason: 'is missing: a region is one of a country' })
    const first = seen.get(`${id} ${from}`)
    if (first !== undefined)
      faults.push({
        field: at('from'),
        reason: `is that of rates.${first}, which has the same id: one of them is too many`,
      })
    else seen.set(`${id} ${from}`, index)
    return faults
  })
}

/** Rates in force on a date: of each id the newest, unless it has ended. */
export function ratesOn(rates: readonly TaxRate[], date: LocalDate): TaxRate[] {
  const newest = new Map<string, TaxRate>()
  for (const rate of rates) {
    const known = newest.get(rate.id)
    if (rate.from <= date && (known === undefined || known.from < rate.from)) newest.set(rate.id, rate)
  }
  return [...newest.values()].filter(({ to }) => to === undefined || date < to)
}
