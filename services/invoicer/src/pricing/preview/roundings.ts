import { decimal, formatDecimal, multiply } from '@tidemark/schemas/decimal.ts'
import { formatMicros, roundToMinorUnit } from '@tidemark/schemas/money.ts'
import { Type } from 'typebox'
import { bodyOf, closed, countField, most, signedField } from './fields.ts'
import { previewKind } from './kind.ts'

const body = bodyOf('rounding', {
  lines: Type.Array(
    Type.Object(
      {
        amount: Type.Optional(signedField),
        quantity: Type.Optional(signedField),
        unitPrice: Type.Optional(signedField),
        repeat: Type.Optional(countField),
      },
      closed,
    ),
    { minItems: 1, maxItems: most.lines },
  ),
})

/** Lines, each rounded once, and their sum. */
export const roundingPreview = previewKind(body, ({ lines, currency }) => {
  const count = lines.reduce((sum, { repeat = '1' }) => sum + Number(repeat), 0)
  if (count > most.repetitions)
    return {
      faults: [{ field: 'lines', reason: `are ${count} with repetitions; at most ${most.repetitions}` }],
    }
  const faults = lines.flatMap(({ amount, quantity, unitPrice }, index) =>
    (amount === undefined) === (quantity === undefined && unitPrice === undefined)
      ? [{ field: `lines.${index}.amount`, reason: 'give either amount, or quantity and unitPrice' }]
      : [],
  )
  if (faults.length > 0) return { faults }
  const rounded = lines.map(({ amount, quantity = '1', unitPrice = '0', repeat = '1' }) => {
    const exact = amount === undefined ? multiply(decimal(quantity), decimal(unitPrice)) : decimal(amount)
    return { exact, micros: roundToMinorUnit(exact, currency), repeat: Number(repeat) }
  })
  const total = rounded.reduce((sum, { micros, repeat }) => sum + micros * BigInt(repeat), 0n)
  return {
    answer: {
      lines: rounded.flatMap(({ micros, repeat }) =>
        new Array<string>(repeat).fill(formatMicros(micros, currency)),
      ),
      total: formatMicros(total, currency),
      trace: rounded.map(({ exact, micros, repeat }) => ({
        step: 'rounding',
        exact: formatDecimal(exact),
        amount: formatMicros(micros, currency),
        repeat: String(repeat),
      })),
    },
  }
})
