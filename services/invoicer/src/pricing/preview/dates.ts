import type { FieldError } from '@tidemark/infra/process/field-errors.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { addDays, isLocalDate, isTimeZone, type LocalDate, startOfDay } from '@tidemark/schemas/local-date.ts'
import type { DayCount } from '../proration.ts'

type DatedText = { readonly start: string; readonly end: string }

/** Reads the dates of a body and keeps what is wrong with them; whoever has read all asks for `faults` before computing. */
export type DateReader = {
  readonly faults: readonly FieldError[]
  readonly timeZone: string
  date(field: string, text: string): LocalDate
  instant(field: string, text: string): Micros1970
  /** The first instant of a date. */
  start(field: string, text: string): Micros1970
  period(field: string, period: DatedText): BillingPeriod
}

const firstYear = '1900'
const lastYear = '2250'

/** With `inclusive` an end date is the last day of its period. */
export function createDateReader(timeZone = 'UTC', dayCount: DayCount = 'half-open'): DateReader {
  const faults: FieldError[] = []
  const isKnown = isTimeZone(timeZone)
  if (!isKnown)
    faults.push({ field: 'timeZone', reason: `"${timeZone}" is no IANA name such as Europe/Berlin` })
  const zone = isKnown ? timeZone : 'UTC'

  function date(field: string, text: string): LocalDate {
    if (isLocalDate(text) && text.slice(0, 4) >= firstYear && text.slice(0, 4) <= lastYear) return text
    faults.push({
      field,
      reason: `"${text}" is no date from ${firstYear} to ${lastYear}, such as 2026-03-01`,
    })
    return '1970-01-01'
  }

  const start = (field: string, text: string) => startOfDay(date(field, text), zone)

  return {
    faults,
    timeZone: zone,
    date,
    start,
    instant(field, text) {
      const instant = parseInstant(text)
      if (instant !== undefined) return instant
      faults.push({ field, reason: `"${text}" is no instant such as 2026-03-01T00:00:00Z` })
      return 0
    },
    period(field, period) {
      const first = date(`${field}.start`, period.start)
      const last = date(`${field}.end`, period.end)
      const end = dayCount === 'inclusive' ? addDays(last, 1) : last
      if (end <= first && faults.length === 0)
        faults.push({ field: `${field}.end`, reason: `must come after the start, ${period.start}` })
      return { start: startOfDay(first, zone), end: startOfDay(end, zone) }
    },
  }
}
