import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import { type Decimal, decimal, formatDecimal, multiply } from '@tidemark/schemas/decimal.ts'
import { addDays, isLocalDate, startOfDay } from '@tidemark/schemas/local-date.ts'
import type { Currency, Micros } from '@tidemark/schemas/money.ts'
import { type Static, Type } from 'typebox'
import { partOfDecimal, whole } from '../pricing/fraction.ts'
import { afterTrial, type DayCount, type ProrationTerms, proration } from '../pricing/proration.ts'
import type { Fraction } from '../pricing/rated.ts'

// Golden form: numbers are decimal text, money in major units; periods are half-open dates.

export const closed = { additionalProperties: false }

export const numberField = Type.String({
  pattern: '^-?\\d{1,30}(\\.\\d{1,30})?$',
  description: 'Decimal text such as -12.50',
})
export const wholeField = Type.String({ pattern: '^\\d{1,15}$', description: 'Whole number as text' })
export const idField = Type.String({ minLength: 1, maxLength: 256 })
export const dateField = Type.String({ maxLength: 64, description: 'A date such as 2026-11-01' })

const periodFields = { start: dateField, end: dateField }
export const periodSchema = Type.Object(periodFields, closed)
export const serviceSchema = Type.Object(
  { ...periodFields, trialDays: Type.Optional(wholeField) },
  { ...closed, description: 'The part of the period that was served, less days of a trial at its start' },
)
/** Of what may be for a part of a period only. */
export const proratedFields = {
  period: Type.Optional(periodSchema),
  service: Type.Optional(serviceSchema),
}

/** Switches that may differ from Tidemark's own defaults. */
export const conventionSchema = Type.Object(
  {
    dayCount: Type.Optional(Type.Enum(['half-open', 'inclusive', 'fixed30', 'second'])),
    taxRounding: Type.Optional(Type.Enum(['rate', 'line', 'invoice'])),
    inclusiveRounding: Type.Optional(Type.Enum(['net', 'tax'])),
    zeroUsageFlatFee: Type.Optional(Type.Boolean()),
    packageRounding: Type.Optional(Type.Enum(['up', 'down'])),
  },
  closed,
)
export type Convention = Static<typeof conventionSchema>

/** What holds for every kind of vector. */
export type VectorContext = {
  readonly currency: Currency
  readonly convention: Convention
  /** Amounts before rounding, printed to so many places, where a vector asks for them. */
  readonly exactDecimals?: number
}

/** What of a vector's input cannot be computed although its shape is right. */
export class VectorFault extends Error {
  readonly field: string

  constructor(field: string, reason: string) {
    super(`${field} ${reason}`)
    this.name = 'VectorFault'
    this.field = field
  }
}

/** Dates are days of one zone; which one does not matter. */
const zone = 'UTC'

/** In the golden file an inclusive end is the last day served; as instants a period always ends with the day after. */
const isInclusive = ({ dayCount }: Convention): boolean => dayCount === 'inclusive'

export function termsOf({ dayCount = 'half-open' }: Convention): ProrationTerms {
  const counted: DayCount = dayCount === 'inclusive' ? 'half-open' : dayCount
  return { dayCount: counted, timeZone: zone }
}

export function instantOf(date: string, field: string): number {
  if (!isLocalDate(date))
    throw new VectorFault(field, `is "${date}", which no calendar has: send a date such as 2026-11-01`)
  return startOfDay(date, zone)
}

export function periodOf(
  { start, end }: Static<typeof periodSchema>,
  convention: Convention,
  field: string,
): BillingPeriod {
  const first = instantOf(start, `${field}.start`)
  const last = instantOf(end, `${field}.end`)
  const after = isInclusive(convention) ? startOfDay(addDays(end, 1), zone) : last
  if (after <= first) throw new VectorFault(field, 'must end after its start')
  return { start: first, end: after }
}

/** The factor of what has a period and a service; the whole without them. */
export function factorOf(
  { period, service }: Static<typeof proratedObject>,
  convention: Convention,
  field: string,
): Fraction {
  if (period === undefined && service === undefined) return whole
  if (period === undefined || service === undefined)
    throw new VectorFault(field, 'needs both a period and a service to be prorated')
  const served = periodOf(service, convention, `${field}.service`)
  return proration(
    periodOf(period, convention, `${field}.period`),
    afterTrial(served, Number(service.trialDays ?? '0'), zone),
    termsOf(convention),
  )
}

const proratedObject = Type.Object(proratedFields)

/** An amount as it is, or as a quantity times a unit price. */
export const amountFields = {
  amount: Type.Optional(numberField),
  quantity: Type.Optional(numberField),
  unitPrice: Type.Optional(numberField),
}
const amountObject = Type.Object(amountFields)

export function exactAmountOf(
  { amount, quantity, unitPrice }: Static<typeof amountObject>,
  field: string,
): Decimal {
  if (amount !== undefined) return decimal(amount)
  if (quantity === undefined || unitPrice === undefined)
    throw new VectorFault(field, 'needs an amount, or a quantity and a unitPrice')
  return multiply(decimal(quantity), decimal(unitPrice))
}

export const roundedOf = (text: string, currency: Currency): Micros =>
  partOfDecimal(decimal(text), whole, currency)

/** Micro-units as the golden file prints them: `0.5`. */
export const show = (micros: Micros): string => formatDecimal({ coefficient: micros, scale: 6 })
