import { createHash } from 'node:crypto'
import { isRecord } from '@tidemark/infra/process/record.ts'
import { type Cut, formatCut, parseCut } from '@tidemark/schemas/cut.ts'
import type { Micros1970 } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { UsageRequest } from './usage-request.ts'

/** Where a list goes on. All pages of a list read one cut, so that together they are one answer. */
export type UsageCursor = {
  readonly cut: Cut
  readonly completeUntil: Micros1970
  readonly offset: number
}

/** @param question as questionOf gives it */
export const formatUsageCursor = ({ cut, completeUntil, offset }: UsageCursor, question: string): string =>
  Buffer.from(JSON.stringify({ cut: formatCut(cut), completeUntil, offset, question })).toString('base64url')

/** Undefined when the text is no cursor, or one of another question. */
export function parseUsageCursor(text: string, question: string): UsageCursor | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (!isRecord(parsed) || parsed.question !== question || typeof parsed.cut !== 'string') return undefined
    const { completeUntil, offset } = parsed
    if (!isWhole(completeUntil) || !isWhole(offset)) return undefined
    return { cut: parseCut(parsed.cut), completeUntil, offset }
  } catch {
    return undefined
  }
}

const isWhole = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** One text for one question, whatever page of it is asked for. */
/** @param list which of the lists of a meter is read */
export function questionOf(
  { tenant, key, version }: MeterVersion,
  request: UsageRequest,
  list = 'usage',
): string {
  const { from, to, window, timeZone, subjects, filters, groupBySubject, groupByDimensions } = request
  const fields = [
    tenant,
    key,
    version,
    from,
    to,
    window,
    timeZone,
    subjects ?? null,
    [...filters],
    groupBySubject,
    request.largestFirst,
    list,
  ]
  return createHash('sha256')
    .update(JSON.stringify([...fields, groupByDimensions]))
    .digest('base64url')
    .slice(0, 22)
}
