import { type Decimal, powerOfTen } from '@tidemark/schemas/decimal.ts'
import type { Currency, Micros } from '@tidemark/schemas/money.ts'
import { allocateRounded } from './allocation.ts'
import { roundQuotient } from './fraction.ts'
import type { LineTax, NetLine, TaxAnswer, TotalOptions } from './priced-invoice.ts'

/** One tax of one line. */
export type TaxCell = {
  readonly line: number
  readonly tax: LineTax
  readonly amountMicros: Micros
}

/** A tax before it is rounded: micro-units as a quotient. */
type ExactCell = {
  readonly line: number
  readonly tax: LineTax
  /** The cells of one group are rounded together. */
  readonly group: string
  readonly grossMicros: Micros
  readonly numerator: bigint
  readonly denominator: bigint
}

/**
 * The taxes of each line. Rates are applied to the sum of the lines that bear them and rounded once per rate, per line and
 * rate, or for the whole invoice, then spread back over the lines by largest remainder. Amounts that the provider gives
 * are taken as they are.
 * @throws RangeError for an answer that leaves out a line, or has two rates under one id
 */
export function computeTaxes(
  lines: readonly NetLine[],
  answer: TaxAnswer,
  options: TotalOptions,
  currency: Currency,
): TaxCell[] {
  const answered = new Map(answer.lines.map(({ id, taxes }) => [id, taxes]))
  const cells = lines.flatMap(({ id, netMicros }, index) => {
    const taxes = answered.get(id)
    if (!taxes) throw new RangeError(`tax provider ${answer.provider} has left out line "${id}"`)
    return taxes.map((tax) => ({ line: index, tax, netMicros }))
  })
  refuseTwoRates(cells)
  const given = cells.flatMap(({ line, tax }) =>
    tax.amountMicros === undefined ? [] : [{ line, tax, amountMicros: tax.amountMicros }],
  )
  const toCompute = cells.filter(({ tax }) => tax.amountMicros === undefined)
  const exact = [...Map.groupBy(toCompute, ({ line }) => line).values()].flatMap((ofLine) => {
    const taxes = ofLine.map(({ tax }) => tax)
    return ofLine.map(({ line, tax, netMicros }) => exactCell(line, tax, netMicros, taxes, options))
  })
  const rounded = [...Map.groupBy(exact, ({ group }) => group).values()].flatMap((group) =>
    roundGroup(group, options, currency),
  )
  return [...given, ...rounded].toSorted((a, b) => a.line - b.line)
}

/** Exclusive: net × rate. Inclusive: gross × rate / (100 % + all rates of the line). */
function exactCell(
  line: number,
  tax: LineTax,
  grossMicros: Micros,
  ofLine: readonly LineTax[],
  { taxInclusive = false, taxRounding = 'rate' }: TotalOptions,
): ExactCell {
  const scale = Math.max(...ofLine.map(({ rate }) => rate.scale))
  const percent = ({ coefficient, scale: own }: Decimal) => coefficient * powerOfTen(scale - own)
  const hundred = 100n * powerOfTen(scale)
  const rates = ofLine.reduce((sum, { rate }) => sum + percent(rate), 0n)
  // Of amounts that contain several taxes the taxes are rounded together, since what is left is the net of all.
  const ids = taxInclusive ? ofLine.map(({ id }) => id).join('\u0000') : tax.id
  const byLine = taxInclusive ? `${line}` : `${line}\u0000${tax.id}`
  return {
    line,
    tax,
    group: taxRounding === 'rate' ? ids : taxRounding === 'line' ? byLine : '',
    grossMicros,
    numerator: grossMicros * percent(tax.rate),
    denominator: taxInclusive ? hundred + rates : hundred,
  }
}

function roundGroup(group: readonly ExactCell[], options: TotalOptions, currency: Currency): TaxCell[] {
  const denominator = [...new Set(group.map((cell) => cell.denominator))].reduce((a, b) => a * b, 1n)
  const parts = group.map((cell) => cell.numerator * (denominator / cell.denominator))
  const exact = parts.reduce((a, b) => a + b, 0n)
  const total = roundTotal(group, exact, denominator, options, currency)
  const shares = allocateRounded(total, parts, denominator, currency)
  return group.map(({ line, tax }, index) => ({ line, tax, amountMicros: shares[index] ?? 0n }))
}

/** Of an amount that contains its tax one part is rounded, the other is the rest: at half a cent they differ. */
function roundTotal(
  group: readonly ExactCell[],
  exact: bigint,
  denominator: bigint,
  { taxInclusive = false, inclusiveRounding = 'net' }: TotalOptions,
  currency: Currency,
): Micros {
  if (!taxInclusive || inclusiveRounding === 'tax') return roundQuotient(exact, denominator, currency)
  const grossByLine = new Map(group.map(({ line, grossMicros }) => [line, grossMicros]))
  const gross = [...grossByLine.values()].reduce((a, b) => a + b, 0n)
  return gross - roundQuotient(gross * denominator - exact, denominator, currency)
}

function refuseTwoRates(cells: readonly { tax: LineTax }[]): void {
  const rates = new Map<string, Decimal>()
  for (const { tax } of cells) {
    const known = rates.get(tax.id) ?? tax.rate
    if (known.coefficient * powerOfTen(tax.rate.scale) !== tax.rate.coefficient * powerOfTen(known.scale))
      throw new RangeError(`tax "${tax.id}" has two rates: one id stands for one rate`)
    rates.set(tax.id, tax.rate)
  }
}
