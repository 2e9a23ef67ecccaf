import { cyclesElapsed, type Interval } from '@tidemark/schemas/calendar.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import {
  dateInMonth,
  dayOf,
  daysBetween,
  isLocalDate,
  isTimeZone,
  type LocalDate,
  localDateOf,
  monthOf,
} from '@tidemark/schemas/local-date.ts'
import { type Static, Type } from 'typebox'
import { dateField, VectorFault } from './input.ts'

export const calendarFields = {
  op: Type.Enum(['days-between', 'next-billing-date', 'cycles-elapsed']),
  timeZone: Type.Optional(Type.String({ maxLength: 64, description: 'IANA name; UTC by default' })),
  anchorDay: Type.Optional(Type.String({ pattern: '^([1-9]|[12]\\d|3[01])$' })),
  from: Type.Optional(dateField),
  to: Type.Optional(dateField),
  start: Type.Optional(dateField),
  at: Type.Optional(dateField),
}
const schema = Type.Object(calendarFields)

const month: Interval = { unit: 'month', count: 1 }

export function previewCalendar(input: Static<typeof schema>) {
  const { op, timeZone = 'UTC', anchorDay } = input
  if (!isTimeZone(timeZone))
    throw new VectorFault('timeZone', `is "${timeZone}": send an IANA name such as Europe/Berlin`)
  const date = (field: 'from' | 'to' | 'start' | 'at') => readDate(input[field], field, timeZone)
  if (op === 'days-between') {
    const [from, to] = [date('from'), date('to')]
    const days = String(daysBetween(from, to))
    return { days, trace: [{ step: op, from, to, timeZone, days }] }
  }
  const dayNumber = (given: LocalDate) => (anchorDay === undefined ? dayOf(given) : Number(anchorDay))
  if (op === 'next-billing-date') {
    const from = date('from')
    const next = dateInMonth(monthOf(from) + 1, dayNumber(from))
    return { date: next, trace: [{ step: op, from, anchorDay: String(dayNumber(from)), date: next }] }
  }
  const [start, at] = [date('start'), date('at')]
  const cycles = String(cyclesElapsed(start, at, { date: start, day: dayNumber(start) }, month))
  return { cycles, trace: [{ step: op, start, at, anchorDay: String(dayNumber(start)), cycles }] }
}

/** A date, or an instant as clocks of the zone show it. */
function readDate(text: string | undefined, field: string, timeZone: string): LocalDate {
  if (text === undefined) throw new VectorFault(field, 'is missing')
  if (isLocalDate(text)) return text
  const instant = parseInstant(text)
  if (instant === undefined)
    throw new VectorFault(field, `is "${text}": send a date such as 2026-11-01, or an instant with its zone`)
  return localDateOf(instant, timeZone)
}
