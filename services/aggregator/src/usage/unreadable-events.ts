import { formatCut } from '@tidemark/schemas/cut.ts'
import { formatInstant } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import { unreadableReason } from './unreadable-reason.ts'
import { placeOf } from './usage-answer.ts'
import { formatUsageCursor, questionOf } from './usage-cursor.ts'
import { rawEvents } from './usage-part.ts'
import type { UsageRequest } from './usage-request.ts'
import type { UsageSources } from './usage-sources.ts'

/** An event that a meter counts and whose value it cannot read. */
export type UnreadableEvent = {
  source: string
  id: string
  subject: string
  time: string
  /** Where it lies in the log. */
  log: number
  partition: number
  offset: string
  /** Its JSON text, cut when it is long. */
  value: string
  reason: string
}

export type UnreadableAnswer = {
  meter: string
  version: number
  completeUntil: string
  cut: string
  /** In the whole range. */
  total: number
  items: UnreadableEvent[]
  nextCursor: string | null
}

const shownCharacters = 200

/**
 * Lists the events of the range whose value the meter cannot read: they count in no quantity until a correction, or a
 * version of the meter that looks elsewhere, makes them readable.
 * @throws HttpProblem 400 for a cursor that does not belong to the question
 */
export async function answerUnreadable(
  sources: UsageSources,
  meter: MeterVersion,
  request: UsageRequest,
): Promise<UnreadableAnswer> {
  const question = questionOf(meter, request, 'unreadable')
  const at = await placeOf(sources, meter, request, question)
  const { sql, params } = rawEvents({ ...request, meter, cut: at.cut, offset: at.offset })
  const unreadable = `(${sql}) WHERE quantity IS NULL`
  const [totals, rows] = await Promise.all([
    sources.clickHouse.query<{ total: string }>(
      `SELECT toString(count()) AS total FROM ${unreadable}`,
      params,
    ),
    sources.clickHouse.query<Omit<UnreadableEvent, 'reason' | 'time'> & { micros: string }>(
      `SELECT source, id, subject, toString(toUnixTimestamp64Micro(time)) AS micros, log, partition,
         toString(offset) AS offset, substringUTF8(raw, 1, ${shownCharacters}) AS value
       FROM ${unreadable} ORDER BY time, log, partition, offset LIMIT {limit:UInt32} OFFSET {skip:UInt64}`,
      { ...params, limit: request.limit, skip: at.offset },
    ),
  ])
  const total = Number(totals[0]?.total ?? 0)
  const end = at.offset + rows.length
  return {
    meter: meter.key,
    version: meter.version,
    completeUntil: formatInstant(at.completeUntil),
    cut: formatCut(at.cut),
    total,
    items: rows.map(({ micros, ...row }) => ({
      ...row,
      time: formatInstant(Number(micros)),
      reason: unreadableReason(meter, row.value),
    })),
    nextCursor: end >= total ? null : formatUsageCursor({ ...at, offset: end }, question),
  }
}
