import { decimal } from '@tidemark/schemas/decimal.ts'
import { formatMicros, type Micros, roundToMinorUnit } from '@tidemark/schemas/money.ts'
import { Type } from 'typebox'
import { cappedCredit, chargedAmounts, creditNotes } from '../credit-notes.ts'
import { formatFraction, partOfDecimal, whole } from '../fraction.ts'
import { proration } from '../proration.ts'
import type { Fraction, TraceStep } from '../rated.ts'
import { createDateReader } from './dates.ts'
import {
  bodyOf,
  closed,
  dateField,
  dayCountField,
  percentField,
  periodField,
  quantityField,
  signedField,
  timeZoneField,
} from './fields.ts'
import { previewKind } from './kind.ts'

const noteBody = bodyOf('credit-note', {
  original: Type.Object({ net: quantityField, taxRate: percentField }, closed),
  notes: Type.Array(
    Type.Object(
      {
        net: Type.Optional(quantityField),
        period: Type.Optional(periodField),
        from: Type.Optional(dateField),
      },
      closed,
    ),
    { minItems: 1, maxItems: 100 },
  ),
  timeZone: timeZoneField,
  convention: Type.Optional(Type.Object({ dayCount: dayCountField }, closed)),
})

/** Parts of a charge given back, by amount or for the days from a date on: the net is rounded first, tax is of that. */
export const creditNotePreview = previewKind(
  noteBody,
  ({ original, notes, currency, convention, ...given }) => {
    const dayCount = convention?.dayCount ?? 'half-open'
    const reader = createDateReader(given.timeZone, dayCount)
    const { timeZone } = reader
    const read = notes.map(({ net, period, from }, index): { net: string; part: Fraction } | undefined => {
      if (net !== undefined && period === undefined && from === undefined) return { net, part: whole }
      if (net !== undefined || period === undefined || from === undefined) return undefined
      const full = reader.period(`notes.${index}.period`, period)
      const start = reader.start(`notes.${index}.from`, from)
      const left = { start, end: full.end }
      return {
        net: original.net,
        part: reader.faults.length > 0 ? whole : proration(full, left, { dayCount, timeZone }),
      }
    })
    const faults = read.flatMap((note, index) =>
      note === undefined ? [{ field: `notes.${index}`, reason: 'give either net, or period and from' }] : [],
    )
    if (reader.faults.length + faults.length > 0) return { faults: [...reader.faults, ...faults] }
    const wanted = read.flatMap((note) => (note === undefined ? [] : [note]))
    const charge = {
      netMicros: roundToMinorUnit(decimal(original.net), currency),
      taxRate: decimal(original.taxRate),
    }
    const nets = wanted.map(({ net, part }) => partOfDecimal(decimal(net), part, currency))
    const noted = creditNotes(charge, nets, currency)
    const charged = chargedAmounts(charge, currency)
    const shown = (micros: Micros) => formatMicros(micros, currency)
    return {
      answer: {
        originalTax: shown(charged.taxMicros),
        originalTotal: shown(charged.totalMicros),
        notes: noted.map(({ netMicros, taxMicros, totalMicros }) => ({
          net: shown(netMicros),
          tax: shown(taxMicros),
          total: shown(totalMicros),
        })),
        notesTotal: shown(noted.reduce((sum, { totalMicros }) => sum + totalMicros, 0n)),
        trace: noted.map(
          ({ netMicros, taxMicros }, index): TraceStep => ({
            step: 'credit-note',
            factor: formatFraction(wanted[index]?.part ?? whole),
            wanted: shown(nets[index] ?? 0n),
            net: shown(netMicros),
            tax: shown(taxMicros),
          }),
        ),
      },
    }
  },
)

const capBody = bodyOf('credit-cap', {
  requested: signedField,
  paid: quantityField,
  alreadyCredited: quantityField,
})

/** What of a wish can be credited. */
export const creditCapPreview = previewKind(capBody, ({ currency, ...given }) => {
  const [requested = 0n, paid = 0n, already = 0n] = [given.requested, given.paid, given.alreadyCredited].map(
    (text) => roundToMinorUnit(decimal(text), currency),
  )
  const shown = (micros: Micros) => formatMicros(micros, currency)
  const amount = shown(cappedCredit(requested, paid, already))
  return { answer: { amount, trace: [{ step: 'cap', room: shown(paid - already), amount }] } }
})
