import { decimal } from '@tidemark/schemas/decimal.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import { type Static, Type } from 'typebox'
import { cappedCredit, chargedAmounts, creditNotes } from '../pricing/credit-notes.ts'
import { formatFraction, partOfMicros } from '../pricing/fraction.ts'
import { proration } from '../pricing/proration.ts'
import {
  closed,
  dateField,
  instantOf,
  numberField,
  periodOf,
  periodSchema,
  roundedOf,
  show,
  termsOf,
  type VectorContext,
  VectorFault,
} from './input.ts'

const noteSchema = Type.Object(
  {
    net: Type.Optional(numberField),
    period: Type.Optional(periodSchema),
    from: Type.Optional(dateField),
  },
  closed,
)

export const creditNoteFields = {
  original: Type.Object({ net: numberField, taxRate: numberField }, closed),
  notes: Type.Array(noteSchema, { minItems: 1, maxItems: 100 }),
}
const schema = Type.Object(creditNoteFields)

export function previewCreditNote(input: Static<typeof schema>, context: VectorContext) {
  const { currency } = context
  const netMicros = roundedOf(input.original.net, currency)
  const charge = { netMicros, taxRate: decimal(input.original.taxRate) }
  const original = chargedAmounts(charge, currency)
  const nets = input.notes.map((note, index) => netOf(note, netMicros, `notes[${index}]`, context))
  const notes = creditNotes(
    charge,
    nets.map(({ micros }) => micros),
    currency,
  )
  return {
    originalTax: show(original.taxMicros),
    originalTotal: show(original.totalMicros),
    notes: notes.map((note) => ({
      net: show(note.netMicros),
      tax: show(note.taxMicros),
      total: show(note.totalMicros),
    })),
    notesTotal: show(notes.reduce((sum, { totalMicros }) => sum + totalMicros, 0n)),
    trace: notes.map((note, index) => ({
      step: 'credit-note',
      factor: nets[index]?.factor ?? '',
      net: show(note.netMicros),
      rate: input.original.taxRate,
      tax: show(note.taxMicros),
    })),
  }
}

/** Given as it is, or as what is left of a period from a date on. */
function netOf(
  { net, period, from }: Static<typeof noteSchema>,
  originalMicros: Micros,
  field: string,
  { currency, convention }: VectorContext,
): { micros: Micros; factor: string } {
  if (net !== undefined) return { micros: roundedOf(net, currency), factor: '' }
  if (period === undefined || from === undefined)
    throw new VectorFault(field, 'needs a net, or a period and the date from which it is given back')
  const full = periodOf(period, convention, `${field}.period`)
  const left = { start: instantOf(from, `${field}.from`), end: full.end }
  const factor = proration(full, left, termsOf(convention))
  return { micros: partOfMicros(originalMicros, factor, currency), factor: formatFraction(factor) }
}

export const creditCapFields = { requested: numberField, paid: numberField, alreadyCredited: numberField }
const capSchema = Type.Object(creditCapFields)

export function previewCreditCap(input: Static<typeof capSchema>, { currency }: VectorContext) {
  const { requested, paid, alreadyCredited } = input
  const amount = show(
    cappedCredit(
      roundedOf(requested, currency),
      roundedOf(paid, currency),
      roundedOf(alreadyCredited, currency),
    ),
  )
  return { amount, trace: [{ step: 'credit-cap', requested, paid, alreadyCredited, amount }] }
}
