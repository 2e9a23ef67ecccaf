import { createHash } from 'node:crypto'
import type { FieldError } from '@tidemark/infra/process/field-errors.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { type Micros1970, parseInstant } from '@tidemark/schemas/instant.ts'
import { type Static, Type } from 'typebox'
import { type EventPlace, formatPageEnd, parsePageEnd } from './page-end.ts'

/** Events carry up to 64 KiB of data each, and a page is held in memory. */
const mostEvents = 500
/** A range without a subject reads every event of the tenant in it. */
const mostDays = 31
const dayMicros = 86_400_000_000

const text = (maxLength: number, description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, description }))

/** Parameters of `GET /v1/events`. */
export const eventsQuery = Type.Object(
  {
    subject: text(256, 'Only events of this subject.'),
    type: text(128, 'Only events of this type; the fastest to read is a type together with a subject.'),
    id: text(256, 'Only events with this id, of any source.'),
    from: text(40, 'RFC 3339. Only events whose time is not before it; 24 hours before `to` when left away.'),
    to: text(
      40,
      `RFC 3339. Only events whose time is before it, at most ${mostDays} days after \`from\`. When left away, a day after \`from\`, or, without that, everything until now.`,
    ),
    order: Type.Union([Type.Literal('newest'), Type.Literal('oldest')], {
      default: 'newest',
      description: 'By the time of the events.',
    }),
    cursor: text(400, '`nextCursor` of the page before; everything else but `limit` must stay as it was.'),
    limit: Type.Integer({ default: 50, minimum: 1, maximum: mostEvents }),
  },
  { additionalProperties: false },
)

export type EventsRequest = {
  readonly subject: string | undefined
  readonly type: string | undefined
  readonly id: string | undefined
  readonly from: Micros1970
  readonly to: Micros1970
  readonly order: 'newest' | 'oldest'
  /** The last event of the page before. */
  readonly after: EventPlace | undefined
  readonly limit: number
}

export type EventsQuestion = {
  readonly request: EventsRequest
  /** Where the page after the one that ends here goes on. */
  cursorAfter(last: EventPlace): string
}

/**
 * What the schema cannot say: instants, their range, and that a cursor belongs to the same question.
 * @param untilMicros where the range ends when the caller names no end
 * @throws HttpProblem 400 that names each field and its reason
 */
export function readEventsQuery(query: Static<typeof eventsQuery>, untilMicros: Micros1970): EventsQuestion {
  const { subject, type, id, order, limit } = query
  const faults: FieldError[] = []
  const givenFrom = readInstant('from', query.from, faults)
  const givenTo = readInstant('to', query.to, faults)
  const question = questionOf([subject, type, id, order, query.from, query.to])
  const page = query.cursor === undefined ? undefined : parsePageEnd(query.cursor, question)
  if (query.cursor !== undefined && page === undefined)
    faults.push({
      field: 'cursor',
      reason: 'is no cursor of this question; give nextCursor with the same parameters',
    })
  // All pages of a list read one range, whatever the clock says meanwhile.
  const to = page?.to ?? givenTo ?? (givenFrom === undefined ? untilMicros : givenFrom + dayMicros)
  const from = page?.from ?? givenFrom ?? to - dayMicros
  if (faults.length === 0) checkRange(from, to, faults)
  if (faults.length > 0) throw invalidQuery(faults)
  return {
    request: { subject, type, id, from, to, order, after: page?.last, limit },
    cursorAfter: (last) => formatPageEnd({ from, to, last }, question),
  }
}

export const invalidQuery = (errors: readonly FieldError[]): HttpProblem =>
  new HttpProblem({
    status: 400,
    code: 'invalid_request',
    detail: `The query is not as expected: ${errors.map(({ field, reason }) => `${field} ${reason}`).join('; ')}.`,
    extensions: { errors },
  })

function readInstant(field: string, given: string | undefined, faults: FieldError[]): Micros1970 | undefined {
  if (given === undefined) return undefined
  const instant = parseInstant(given)
  if (instant !== undefined && instant >= 0 && instant < 4_294_800_000_000_000) return instant
  faults.push({
    field,
    reason:
      'is no instant from 1970 to 2106; give RFC 3339 with a zone, such as 2026-11-01T00:00:00Z (a "+" in a URL is written %2B)',
  })
  return undefined
}

function checkRange(from: Micros1970, to: Micros1970, faults: FieldError[]): void {
  if (from >= to) faults.push({ field: 'to', reason: 'must lie after from: the range is [from, to)' })
  if (to - from > mostDays * dayMicros)
    faults.push({ field: 'to', reason: `must lie at most ${mostDays} days after from; ask month by month` })
}

const questionOf = (parameters: readonly (string | undefined)[]): string =>
  createHash('sha256')
    .update(JSON.stringify(parameters.map((parameter) => parameter ?? null)))
    .digest('base64url')
    .slice(0, 16)
