import { Type } from 'typebox'

/** A row of usage_events as ClickHouse prints it. */
export type EventRow = {
  readonly type: string
  readonly subject: string
  readonly time: string
  readonly log: number
  readonly partition: number
  readonly offset: string
  readonly source: string
  readonly id: string
  readonly accepted_at: string
  readonly data: string
}

export const eventColumns = 'type, subject, time, log, partition, offset, source, id, accepted_at, data'

const instant = (description: string) => Type.String({ format: 'date-time', description })

export const offsetSchema = {
  log: Type.Integer({ description: 'Number of the Kafka log that the offset belongs to.' }),
  partition: Type.Integer(),
  offset: Type.Integer(),
}

/** An event as it is shown: the CloudEvent that was billed, and where it lies. */
export const shownEventSchema = Type.Object({
  specversion: Type.Literal('1.0'),
  id: Type.String(),
  source: Type.String(),
  type: Type.String(),
  subject: Type.String(),
  time: instant('To the microsecond, in UTC.'),
  data: Type.Optional(Type.Object({}, { description: 'Left away when the event came without.' })),
  acceptedAt: instant('When the door took it in.'),
  ...offsetSchema,
})

export function showEvent(row: EventRow) {
  return {
    specversion: '1.0' as const,
    id: row.id,
    source: row.source,
    type: row.type,
    subject: row.subject,
    time: row.time,
    ...dataOf(row),
    acceptedAt: row.accepted_at,
    log: row.log,
    partition: row.partition,
    offset: Number(row.offset),
  }
}

/** Stored as canonical JSON whose numbers a double holds exactly, so that parsing it changes nothing. */
function dataOf({ data }: EventRow): { data?: unknown } {
  return data === '' ? {} : { data: JSON.parse(data) }
}
