import { cyclesElapsed, datedPeriodAt } from '@tidemark/schemas/calendar.ts'
import { daysBetween, localDateOf } from '@tidemark/schemas/local-date.ts'
import { Type } from 'typebox'
import { createDateReader, type DateReader } from './dates.ts'
import { bodyOf, dateField, instantField, timeZoneField } from './fields.ts'
import { type PreviewAnswer, previewKind } from './kind.ts'

const ops = ['days-between', 'next-billing-date', 'cycles-elapsed'] as const

const body = bodyOf('calendar', {
  op: Type.Enum([...ops]),
  timeZone: timeZoneField,
  anchorDay: Type.Optional(
    Type.String({ pattern: '^([1-9]|[12]\\d|3[01])$', description: 'Day of the month as text, 1 to 31' }),
  ),
  from: Type.Optional(instantField),
  to: Type.Optional(instantField),
  start: Type.Optional(dateField),
  at: Type.Optional(dateField),
})

const month = { unit: 'month', count: 1 } as const

/** Days between two instants, the next monthly boundary, and how many of them lie between two dates. */
export const calendarPreview = previewKind(body, (given) => {
  const { op, from = '', to = '', start = '', at = '' } = given
  const reader = createDateReader(given.timeZone)
  const day = given.anchorDay === undefined ? {} : { day: Number(given.anchorDay) }
  const answer = answerOf[op](reader, { from, to, start, at }, day)
  return reader.faults.length > 0 ? { faults: reader.faults } : { answer: answer() }
})

type Dates = { from: string; to: string; start: string; at: string }
type Operation = (reader: DateReader, dates: Dates, day: { day?: number }) => () => PreviewAnswer

const answerOf: Record<(typeof ops)[number], Operation> = {
  'days-between'(reader, { from, to }) {
    const dates = [reader.instant('from', from), reader.instant('to', to)].map((instant) =>
      localDateOf(instant, reader.timeZone),
    )
    const [first = '', last = ''] = dates
    return () => ({
      days: String(daysBetween(first, last)),
      trace: [{ step: 'dates', from: first, to: last }],
    })
  },
  'next-billing-date'(reader, { from }, day) {
    const date = reader.date('from', from)
    return () => {
      const period = datedPeriodAt(date, { date, ...day }, month)
      return { date: period.end, trace: [{ step: 'period', ...period }] }
    }
  },
  'cycles-elapsed'(reader, { start, at }, day) {
    const first = reader.date('start', start)
    const last = reader.date('at', at)
    return () => {
      const anchor = { date: first, ...day }
      const period = datedPeriodAt(last, anchor, month)
      const cycles = String(cyclesElapsed(first, last, anchor, month))
      return { cycles, trace: [{ step: 'period', ...period }] }
    }
  },
}
