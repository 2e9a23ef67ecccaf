import { type Cut, formatCut, reaches } from '@tidemark/schemas/cut.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { Aggregation, MeterVersion } from '@tidemark/schemas/meter.ts'
import { formatUsageCursor, parseUsageCursor, questionOf, type UsageCursor } from './usage-cursor.ts'
import type { UsageRow } from './usage-query.ts'
import { readUsage } from './usage-reader.ts'
import { invalidUsageRequest, type UsageRequest } from './usage-request.ts'
import type { UsageSources } from './usage-sources.ts'

export type UsageItem = {
  windowStart: string
  windowEnd: string
  subject?: string
  dimensions?: Record<string, string>
  /** Exact decimal text; null where there is nothing to tell, such as the least of no values. */
  value: string | null
  eventCount: number
  unreadable: number
}

export type UsageAnswer = {
  meter: string
  version: number
  from: string
  to: string
  /** Every event acknowledged before this instant is counted. */
  completeUntil: string
  cut: string
  items: UsageItem[]
  nextCursor: string | null
}

type Page = { readonly items: UsageItem[]; readonly isLast: boolean }

/** @throws HttpProblem 400 for a cursor that does not belong to the question */
export async function answerUsage(
  sources: UsageSources,
  meter: MeterVersion,
  request: UsageRequest,
): Promise<UsageAnswer> {
  const question = questionOf(meter, request)
  const at = await placeOf(sources, meter, request, question)
  const isGrouped = request.groupBySubject || request.groupByDimensions.length > 0
  const page = await (isGrouped ? groupedPage : windowPage)(sources, meter, request, at)
  return {
    meter: meter.key,
    version: meter.version,
    from: formatInstant(request.from),
    to: formatInstant(request.to),
    completeUntil: formatInstant(at.completeUntil),
    cut: formatCut(at.cut),
    items: page.items,
    nextCursor: page.isLast
      ? null
      : formatUsageCursor({ ...at, offset: at.offset + page.items.length }, question),
  }
}

/**
 * Where a list begins or goes on: at what is processed by now, or at the cut of its first page.
 * @throws HttpProblem 400 for a cursor that does not belong to the question
 */
export async function placeOf(
  { readWatermarks, completeness }: UsageSources,
  meter: MeterVersion,
  request: UsageRequest,
  question: string,
): Promise<UsageCursor> {
  const watermarks = await readWatermarks()
  const first = {
    cut: watermarks.cut,
    completeUntil: completeness.completeUntil(watermarks, meter.tenant),
    offset: 0,
  }
  return cursorOf(request, question, watermarks.cut) ?? first
}

function cursorOf({ cursor }: UsageRequest, question: string, reached: Cut): UsageCursor | undefined {
  if (cursor === undefined) return undefined
  const parsed = parseUsageCursor(cursor, question)
  if (parsed && reaches(reached, parsed.cut)) return parsed
  throw invalidUsageRequest([
    {
      field: 'cursor',
      reason: 'is none of this query; send the nextCursor of an answer with the same query',
    },
  ])
}

async function groupedPage(
  { clickHouse, readHours }: UsageSources,
  meter: MeterVersion,
  request: UsageRequest,
  { cut, offset }: UsageCursor,
): Promise<Page> {
  // One more than asked for tells whether there is another page.
  const query = { ...request, meter, cut, offset, limit: request.limit + 1 }
  const rows = await readUsage(clickHouse, query, readHours)
  return {
    items: itemsOf(rows.slice(0, request.limit), request),
    isLast: rows.length <= request.limit,
  }
}

/** Without groups every window is listed, with zero where there was nothing; only the page's windows are read. */
async function windowPage(
  { clickHouse, readHours }: UsageSources,
  meter: MeterVersion,
  request: UsageRequest,
  { cut, offset }: UsageCursor,
): Promise<Page> {
  const end = offset + request.limit
  const windowStarts = request.windowStarts.slice(offset, end)
  const from = windowStarts[0]
  if (from === undefined) return { items: [], isLast: true }
  const to = request.windowStarts[end] ?? request.to
  const range = { from, to, windowStarts }
  const query = { ...request, ...range, meter, cut, offset: 0, limit: windowStarts.length }
  const rows = await readUsage(clickHouse, query, readHours)
  const found = new Map(rows.map((row) => [row.windowStart, row]))
  return {
    items: itemsOf(
      windowStarts.map((windowStart) => found.get(windowStart) ?? emptyRow(windowStart, meter)),
      request,
    ),
    isLast: end >= request.windowStarts.length,
  }
}

/** Where there are no values there is no least one either; of the others nothing is zero. */
const emptyValue = (aggregation: Aggregation): string | null =>
  ['min', 'max', 'average', 'latest'].includes(aggregation) ? null : '0'

const emptyRow = (windowStart: number, { aggregation }: MeterVersion): UsageRow => ({
  windowStart,
  subject: '',
  dimensions: [],
  value: emptyValue(aggregation),
  eventCount: 0n,
  unreadable: 0n,
})

/** Rows as items; the bounds of a window are written out once for all that lie in it. */
function itemsOf(
  rows: readonly UsageRow[],
  { windowStarts, to, groupBySubject, groupByDimensions }: UsageRequest,
): UsageItem[] {
  const texts = [...windowStarts, to].map(formatInstant)
  const places = new Map(windowStarts.map((start, place) => [start, place]))
  const dimensionsOf = ({ dimensions }: UsageRow) =>
    Object.fromEntries(groupByDimensions.map((name, index) => [name, dimensions[index] ?? '']))
  return rows.map((row) => {
    const place = places.get(row.windowStart) ?? 0
    return {
      windowStart: texts[place] ?? '',
      windowEnd: texts[place + 1] ?? '',
      ...(groupBySubject ? { subject: row.subject } : undefined),
      ...(groupByDimensions.length > 0 ? { dimensions: dimensionsOf(row) } : undefined),
      value: row.value,
      eventCount: Number(row.eventCount),
      unreadable: Number(row.unreadable),
    }
  })
}
