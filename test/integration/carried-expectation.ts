import { coefficientAt, type Decimal, decimal, divideHalfAwayFromZero } from '@tidemark/schemas/decimal.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { Meter } from '@tidemark/schemas/meter.ts'
import { Temporal } from 'temporal-polyfill'
import { compareEvents, quantityOf } from './usage-expectation.ts'
import type { LogEntry } from './usage-log.ts'

type Span = { readonly start: Micros1970; readonly end: Micros1970 }

/** The quantity of a window by walking along its events; undefined while no series has begun. */
export function carriedValue(
  series: readonly (readonly LogEntry[])[],
  { meter, timeZone }: { meter: Meter; timeZone: string },
  window: Span,
): Decimal | undefined {
  const begun = series
    .map((events) => events.toSorted(compareEvents))
    .filter(([first]) => first !== undefined && first.time < window.end)
  if (begun.length === 0) return undefined
  if (meter.aggregation === 'prorated-sum') return prorated(begun, meter, timeZone, window)
  const levelAt = (instant: Micros1970): bigint =>
    begun.reduce(
      (sum, events) =>
        sum +
        levelOf(
          events.filter(({ time }) => time <= instant),
          meter,
        ),
      0n,
    )
  const inside = begun
    .flat()
    .map(({ time }) => time)
    .filter((time) => time > window.start && time < window.end)
  const starts = [...new Set([window.start, ...inside])].sort((a, b) => a - b)
  const steps = starts.map((start, index) => ({
    level: levelAt(start),
    micros: BigInt((starts[index + 1] ?? window.end) - start),
  }))
  if (meter.aggregation === 'time-weighted-max')
    return { coefficient: highest(steps.map(({ level }) => level)), scale: 9 }
  const area = steps.reduce((sum, { level, micros }) => sum + level * micros, 0n)
  return { coefficient: divideHalfAwayFromZero(area * 1_000n, BigInt(window.end - window.start)), scale: 12 }
}

const unitsOf = (event: LogEntry): bigint => coefficientAt(quantityOf(event) ?? decimal('0'), 9)

function levelOf(events: readonly LogEntry[], { values, initialValue = '0' }: Meter): bigint {
  const initial = coefficientAt(decimal(initialValue), 9)
  const last = events.at(-1)
  if (values === 'levels') return last === undefined ? initial : unitsOf(last)
  return events.reduce((sum, event) => sum + unitsOf(event), initial)
}

function prorated(
  series: readonly (readonly LogEntry[])[],
  meter: Meter,
  timeZone: string,
  { start, end }: Span,
): Decimal {
  const dateOf = (micros: Micros1970) =>
    Temporal.Instant.fromEpochMilliseconds(Math.floor(micros / 1000))
      .toZonedDateTimeISO(timeZone)
      .toPlainDate()
  const last = dateOf(end - 1)
  const daysFrom = (date: Temporal.PlainDate) => BigInt(date.until(last).days + 1)
  const days = daysFrom(dateOf(start))
  let dayUnits = 0n
  for (const events of series) {
    dayUnits +=
      levelOf(
        events.filter(({ time }) => time < start),
        meter,
      ) * days
    for (const event of events.filter(({ time }) => time >= start && time < end))
      dayUnits += unitsOf(event) * daysFrom(dateOf(event.time))
  }
  return { coefficient: divideHalfAwayFromZero(dayUnits * 1_000n, days), scale: 12 }
}

const highest = (levels: readonly bigint[]): bigint => levels.toSorted((a, b) => (a < b ? 1 : -1))[0] ?? 0n
