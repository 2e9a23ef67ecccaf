import { dimensionNames } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { FieldError } from '@tidemark/infra/process/field-errors.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { isTimeZone } from '@tidemark/schemas/local-date.ts'
import { isCarried, type Meter } from '@tidemark/schemas/meter.ts'
import { type UsageWindow, usageWindows, windowStarts } from '@tidemark/schemas/usage-window.ts'

/** A usage query as it was asked; each field has been checked against the meter. */
export type UsageRequest = {
  readonly from: Micros1970
  readonly to: Micros1970
  readonly window: UsageWindow
  readonly windowStarts: readonly Micros1970[]
  readonly timeZone: string
  readonly subjects: readonly string[] | undefined
  /** Values of dimensions, by their names. */
  readonly filters: ReadonlyMap<string, readonly string[]>
  readonly groupBySubject: boolean
  readonly groupByDimensions: readonly string[]
  /** The largest values first, whatever their windows and groups. */
  readonly largestFirst: boolean
  readonly format: 'json' | 'csv' | undefined
  readonly cursor: string | undefined
  readonly limit: number
}

/** Groups and windows together in one page. */
const defaultLimit = 1_000
const largestLimit = 10_000
/** As far as events reach back, by the hour: lists of hours and windows have to fit into parameters of a statement. */
const mostDays = 400
const mostWindows = mostDays * 24

/** Subjects, or values of one dimension, in one query. */
const mostChosen = 100

const parameters = [
  'from',
  'to',
  'window',
  'timeZone',
  'subject',
  'groupBy',
  'cursor',
  'limit',
  'version',
  'order',
  'format',
]
const filterPrefix = 'filter.'

/** @throws HttpProblem 400 that names every fault and what would be valid */
export function parseUsageRequest(query: Readonly<Record<string, unknown>>, meter: Meter): UsageRequest {
  const faults = unknownParameters(query, meter)
  const text = (field: string): string | undefined => {
    const value = query[field]
    if (Array.isArray(value)) faults.push({ field, reason: 'is given more than once; give it once' })
    return typeof value === 'string' ? value : undefined
  }
  const range = readRange(text('from'), text('to'), faults)
  checkWholeSeconds(range, meter, faults)
  const window = readWindow(text('window'), faults)
  const timeZone = readTimeZone(text('timeZone'), faults)
  const groups = readGroups(text('groupBy'), meter, faults)
  const limit = readLimit(text('limit'), faults)
  const format = readChoice('format', text('format'), ['json', 'csv'] as const, faults)
  const order = readChoice('order', text('order'), ['window', 'value'] as const, faults)
  if (order === 'value' && !groups.groupBySubject && groups.groupByDimensions.length === 0)
    faults.push({ field: 'order', reason: 'by value needs groups: give groupBy=subject, for example' })
  const subjects = readChosen('subject', query.subject, faults)
  const filters = readFilters(query, meter, faults)
  const cursor = text('cursor')
  const starts = faults.length === 0 ? readWindowStarts(range, window, timeZone, faults) : []
  if (faults.length > 0) throw invalidUsageRequest(faults)
  return {
    ...range,
    window,
    windowStarts: starts,
    timeZone,
    subjects,
    filters,
    ...groups,
    largestFirst: order === 'value',
    format,
    cursor,
    limit,
  }
}

export const invalidUsageRequest = (errors: readonly FieldError[]): HttpProblem =>
  new HttpProblem({
    status: 400,
    code: 'invalid_request',
    detail: `The query is not as expected: ${errors.map(({ field, reason }) => `${field} ${reason}`).join('; ')}.`,
    extensions: { errors },
  })

function unknownParameters(query: Readonly<Record<string, unknown>>, meter: Meter): FieldError[] {
  const filters = dimensionNames(meter).map((name) => `${filterPrefix}${name}`)
  const known = [...parameters, ...filters]
  return Object.keys(query)
    .filter((field) => !known.includes(field))
    .map((field) => ({ field, reason: `is no parameter of this query; there are ${known.join(', ')}` }))
}

/** A parameter that may be given several times: any of the values. */
function readChosen(field: string, value: unknown, faults: FieldError[]): string[] | undefined {
  if (value === undefined) return undefined
  const values = (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string')
  if (values.length > mostChosen)
    faults.push({ field, reason: `is given ${values.length} times; give it at most ${mostChosen} times` })
  return [...new Set(values)].sort()
}

const readFilters = (
  query: Readonly<Record<string, unknown>>,
  meter: Meter,
  faults: FieldError[],
): Map<string, string[]> =>
  new Map(
    dimensionNames(meter).flatMap((name) => {
      const field = `${filterPrefix}${name}`
      const values = readChosen(field, query[field], faults)
      return values === undefined ? [] : [[name, values] as const]
    }),
  )

/** Windows are told apart by the second: what lies before the range must not lie in the same one. */
function checkWholeSeconds({ from }: { from: Micros1970 }, meter: Meter, faults: FieldError[]): void {
  if (isCarried(meter) && from % 1_000_000 !== 0)
    faults.push({ field: 'from', reason: `must be a whole second for aggregation ${meter.aggregation}` })
}

function readRange(
  fromText: string | undefined,
  toText: string | undefined,
  faults: FieldError[],
): { from: Micros1970; to: Micros1970 } {
  const from = readInstant('from', fromText, faults)
  const to = readInstant('to', toText, faults)
  if (from === undefined || to === undefined) return { from: 0, to: 0 }
  if (from >= to) faults.push({ field: 'to', reason: 'must lie after from: the range is [from, to)' })
  if (to - from > mostDays * 86_400_000_000)
    faults.push({ field: 'to', reason: `must lie at most ${mostDays} days after from` })
  return { from, to }
}

function readInstant(field: string, text: string | undefined, faults: FieldError[]): Micros1970 | undefined {
  const instant = text === undefined ? undefined : parseInstant(text)
  const isStored = instant !== undefined && instant >= 0 && instant < 4_294_800_000_000_000
  if (isStored) return instant
  const reason = text === undefined ? 'is missing; give' : 'is no instant; give'
  faults.push({
    field,
    reason: `${reason} an RFC 3339 date and time with zone, from 1970 to 2106, such as 2026-11-01T00:00:00Z (a "+" in a URL is written %2B)`,
  })
  return undefined
}

function readWindow(text: string | undefined, faults: FieldError[]): UsageWindow {
  const window = usageWindows.find((name) => name === (text ?? 'none'))
  if (window === undefined)
    faults.push({ field: 'window', reason: `must be one of ${usageWindows.join(', ')}` })
  return window ?? 'none'
}

function readChoice<Choice extends string>(
  field: string,
  text: string | undefined,
  choices: readonly Choice[],
  faults: FieldError[],
): Choice | undefined {
  if (text === undefined) return undefined
  const choice = choices.find((name) => name === text)
  if (choice === undefined) faults.push({ field, reason: `must be one of ${choices.join(', ')}` })
  return choice
}

function readTimeZone(text: string | undefined, faults: FieldError[]): string {
  if (text === undefined) return 'UTC'
  if (!isTimeZone(text))
    faults.push({
      field: 'timeZone',
      reason: 'must be a name of the IANA time zone database such as Asia/Kolkata',
    })
  return text
}

function readGroups(
  text: string | undefined,
  meter: Meter,
  faults: FieldError[],
): { groupBySubject: boolean; groupByDimensions: string[] } {
  const names = text === undefined || text === '' ? [] : text.split(',')
  const known = ['subject', ...dimensionNames(meter)]
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    faults.push({
      field: 'groupBy',
      reason: `has ${unknown.join(', ')}, but this meter can be grouped by ${known.join(', ')}`,
    })
  return {
    groupBySubject: names.includes('subject'),
    groupByDimensions: dimensionNames(meter).filter((name) => names.includes(name)),
  }
}

function readLimit(text: string | undefined, faults: FieldError[]): number {
  if (text === undefined) return defaultLimit
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > largestLimit)
    faults.push({ field: 'limit', reason: `must be a whole number from 1 to ${largestLimit}` })
  return limit
}

function readWindowStarts(
  { from, to }: { from: Micros1970; to: Micros1970 },
  window: UsageWindow,
  timeZone: string,
  faults: FieldError[],
): Micros1970[] {
  const starts = windowStarts({ start: from, end: to }, window, timeZone, mostWindows)
  if (starts === undefined)
    faults.push({
      field: 'window',
      reason: `gives more than ${mostWindows} windows; ask for a shorter range or a longer window`,
    })
  return starts ?? []
}
