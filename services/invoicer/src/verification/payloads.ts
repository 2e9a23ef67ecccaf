import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { inForce } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { payloadHash } from '@tidemark/schemas/event-identity.ts'
import { formatClickHouseInstant } from '@tidemark/schemas/instant.ts'
import type { Mapping } from '../catalogue/known.ts'
import type { Difference } from './difference.ts'

export type PayloadQuestion = {
  readonly tenant: string
  readonly types: readonly string[]
  readonly period: BillingPeriod
  readonly cut: Cut
  /** Clipped to the period. */
  readonly mappings: readonly Mapping[]
}

type Row = {
  place: string
  type: string
  subject: string
  time: string
  acceptedAt: string
  hash: string
  data: string
}

/** So that subjects stay far below what a request's address may hold. */
const subjectsAtOnce = 500

/**
 * Certificates count events by their payload hashes. Here each hash is taken anew of what the event says, so that a row
 * whose subject, time or data was changed in place shows, also when it was changed before the invoice was made.
 */
export async function findAlteredEvent(
  clickHouse: ClickHouse,
  question: PayloadQuestion,
): Promise<Difference | undefined> {
  const subjects = [...new Set(question.mappings.map(({ subject }) => subject))]
  for (let at = 0; at < subjects.length; at += subjectsAtOnce) {
    for await (const row of readEvents(clickHouse, question, subjects.slice(at, at + subjectsAtOnce))) {
      const time = Number(row.time)
      const isBilled = question.mappings.some(
        ({ subject, from, to }) => subject === row.subject && from <= time && time < to,
      )
      if (!isBilled || hashesOf(row, time).includes(row.hash)) continue
      const [recomputed = null] = hashesOf(row, time)
      return { path: `events[${row.place}].payload`, certified: row.hash, recomputed }
    }
  }
  return undefined
}

/** What the event may have hashed to: one that came without a time was given that of its acceptance. */
function hashesOf({ type, subject, data, acceptedAt }: Row, time: number): string[] {
  const times = Number(acceptedAt) === time ? [time, undefined] : [time]
  return times.map((timeMicros) => payloadHash({ type, subject, timeMicros, data }).toString('hex'))
}

function readEvents(
  clickHouse: ClickHouse,
  { tenant, types, period, cut }: PayloadQuestion,
  subjects: readonly string[],
): AsyncIterable<Row> {
  const below = inForce(
    cut,
    `tenant = {tenant:String} AND type IN {types:Array(String)}
      AND superseded_hour >= toStartOfHour({start:DateTime64(6, 'UTC')}) AND superseded_hour < {end:DateTime64(6, 'UTC')}`,
  )
  return clickHouse.stream<Row>(
    `SELECT concat(toString(log), '/', toString(partition), ':', toString(offset)) AS place, type, subject,
       toString(toUnixTimestamp64Micro(time)) AS time, toString(toUnixTimestamp64Micro(accepted_at)) AS acceptedAt,
       lower(hex(payload_hash)) AS hash, data
     FROM (
       SELECT * FROM usage_events FINAL
       WHERE tenant = {tenant:String} AND type IN {types:Array(String)}
         AND toDate(time) >= toDate({start:DateTime64(6, 'UTC')}) AND toDate(time) <= toDate({end:DateTime64(6, 'UTC')})
         AND time >= {start:DateTime64(6, 'UTC')} AND time < {end:DateTime64(6, 'UTC')} AND ${below.sql}
         AND subject IN {subjects:Array(String)}
     )`,
    {
      ...below.params,
      tenant,
      types,
      subjects,
      start: formatClickHouseInstant(period.start),
      end: formatClickHouseInstant(period.end),
    },
  )
}
