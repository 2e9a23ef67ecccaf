import {
  add,
  type Decimal,
  decimal,
  formatDecimal,
  multiply,
  powerOfTen,
  zero,
} from '@tidemark/schemas/decimal.ts'
import { formatMicros, type Micros } from '@tidemark/schemas/money.ts'
import { Type } from 'typebox'
import { formatFraction, partOfDecimal } from '../fraction.ts'
import { afterTrial, proration } from '../proration.ts'
import type { Fraction } from '../rated.ts'
import { createDateReader } from './dates.ts'
import { bodyOf, closed, dayCountField, periodField, quantityField, timeZoneField } from './fields.ts'
import { previewKind } from './kind.ts'

const body = bodyOf('proration', {
  segments: Type.Array(
    Type.Object(
      {
        amount: Type.Optional(quantityField),
        period: periodField,
        service: Type.Object(
          {
            ...periodField.properties,
            trialDays: Type.Optional(
              Type.String({ pattern: '^\\d{1,4}$', description: 'Whole number of days as text' }),
            ),
          },
          closed,
        ),
      },
      closed,
    ),
    { minItems: 1, maxItems: 100 },
  ),
  timeZone: timeZoneField,
  convention: Type.Optional(Type.Object({ dayCount: dayCountField }, closed)),
})

type Segment = { readonly amount: Decimal | undefined; readonly part: Fraction; readonly micros: Micros }

/** The served parts of full periods, and what each comes to, rounded by itself. */
export const prorationPreview = previewKind(body, ({ segments, currency, convention, ...given }) => {
  const dayCount = convention?.dayCount ?? 'half-open'
  const reader = createDateReader(given.timeZone, dayCount)
  const read = segments.map(({ amount, period, service }, index) => ({
    amount: amount === undefined ? undefined : decimal(amount),
    period: reader.period(`segments.${index}.period`, period),
    service: reader.period(`segments.${index}.service`, service),
    trialDays: Number(service.trialDays ?? '0'),
  }))
  if (reader.faults.length > 0) return { faults: reader.faults }
  const { timeZone } = reader
  const parts = read.map(({ amount, period, service, trialDays }): Segment => {
    const part = proration(period, afterTrial(service, trialDays, timeZone), { dayCount, timeZone })
    return { amount, part, micros: partOfDecimal(amount ?? zero, part, currency) }
  })
  const shown = (micros: Micros) => formatMicros(micros, currency)
  const [first, ...others] = parts
  const days =
    others.length > 0 || dayCount === 'second' || first === undefined
      ? {}
      : { daysUsed: `${first.part.numerator}`, daysInPeriod: `${first.part.denominator}` }
  return {
    answer: {
      lines: parts.map(({ micros }) => shown(micros)),
      amount: shown(parts.reduce((sum, { micros }) => sum + micros, 0n)),
      exactAmount: formatDecimal(parts.map(({ amount, part }) => quotient(amount ?? zero, part)).reduce(add)),
      factor: formatDecimal(parts.map(({ part }) => quotient(one, part)).reduce(add)),
      ...days,
      trace: parts.map(({ amount, part, micros }) => ({
        step: 'proration',
        factor: formatFraction(part),
        ...(amount === undefined ? {} : { full: formatDecimal(amount) }),
        amount: shown(micros),
      })),
    },
  }
})

const one: Decimal = { coefficient: 1n, scale: 0 }

/** Decimals in which quotients that do not come out even are shown; money is rounded from the quotient itself. */
const shownDecimals = 24

function quotient(amount: Decimal, { numerator, denominator }: Fraction): Decimal {
  const exact = multiply(amount, { coefficient: numerator * powerOfTen(shownDecimals), scale: shownDecimals })
  return { coefficient: exact.coefficient / denominator, scale: exact.scale }
}
