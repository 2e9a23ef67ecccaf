import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { dimensionNames, inForce, meterSql } from '@tidemark/infra/clickhouse/usage-sql.ts'
import type { BillingPeriod } from '@tidemark/schemas/billing-period.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import { type Decimal, decimal } from '@tidemark/schemas/decimal.ts'
import { formatClickHouseInstant, type Micros1970 } from '@tidemark/schemas/instant.ts'
import type { MeterVersion } from '@tidemark/schemas/meter.ts'
import type { Mapping } from '../catalogue/known.ts'
import { withDimensions } from './usage-store.ts'

export type EventQuestion = {
  readonly meter: MeterVersion
  readonly cut: Cut
  readonly range: BillingPeriod
  /** Clipped to what is billed. */
  readonly mappings: readonly Mapping[]
  /** Which events count: values by dimension. */
  readonly filter: Readonly<Record<string, readonly string[]>>
  readonly most: number
}

type Row = {
  subject: string
  time: string
  source: string
  id: string
  dimensionValues: string[]
  value: string | null
}
type Event = {
  readonly time: Micros1970
  readonly source: string
  readonly id: string
  readonly value: Decimal
}

/** So that subjects, up to 256 bytes each, stay far below what a request's address may hold. */
const subjectsAtOnce = 500

/**
 * Values of the single events that a meter counts, in the order of time, source and id, for a price that charges each of
 * them. Undefined when there are more than `most`.
 */
export async function readEventValues(
  clickHouse: ClickHouse,
  question: EventQuestion,
): Promise<Decimal[] | undefined> {
  const { mappings, filter, most } = question
  const bySubject = Map.groupBy(mappings, ({ subject }) => subject)
  const subjects = [...bySubject.keys()]
  const chosen = Object.entries(filter)
  const names = dimensionNames(
    withDimensions(
      question.meter,
      chosen.map(([name]) => name),
    ),
  )
  const events: Event[] = []
  for (let at = 0; at < subjects.length; at += subjectsAtOnce)
    for await (const row of readEvents(clickHouse, question, subjects.slice(at, at + subjectsAtOnce))) {
      const time = Number(row.time)
      const isBilled = bySubject.get(row.subject)?.some(({ from, to }) => from <= time && time < to)
      const isChosen = chosen.every(([name, values]) =>
        values.includes(row.dimensionValues[names.indexOf(name)] ?? ''),
      )
      if (!isBilled || !isChosen || row.value === null) continue
      if (events.length === most) return undefined
      events.push({ time, source: row.source, id: row.id, value: decimal(row.value) })
    }
  return events.sort(inOrder).map(({ value }) => value)
}

const inOrder = (a: Event, b: Event): number =>
  a.time - b.time || byBytes(a.source, b.source) || byBytes(a.id, b.id)

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

function readEvents(
  clickHouse: ClickHouse,
  { meter, cut, range, filter }: EventQuestion,
  subjects: readonly string[],
): AsyncIterable<Row> {
  const told = meterSql(withDimensions(meter, Object.keys(filter)))
  const below = inForce(
    cut,
    `tenant = {tenant:String} AND type = {type:String}
      AND superseded_hour >= toStartOfHour({start:DateTime64(6, 'UTC')}) AND superseded_hour < {end:DateTime64(6, 'UTC')}`,
  )
  return clickHouse.stream<Row>(
    `SELECT subject, toString(toUnixTimestamp64Micro(time)) AS time, source, id, ${told.dimensions} AS dimensionValues,
       toString(${told.quantity}) AS value
     FROM (
       SELECT * FROM usage_events FINAL
       WHERE tenant = {tenant:String} AND type = {type:String}
         AND toDate(time) >= toDate({start:DateTime64(6, 'UTC')}) AND toDate(time) <= toDate({end:DateTime64(6, 'UTC')})
         AND time >= {start:DateTime64(6, 'UTC')} AND time < {end:DateTime64(6, 'UTC')} AND ${below.sql}
         AND subject IN {subjects:Array(String)}
     ) WHERE ${told.matches}`,
    {
      ...told.params,
      ...below.params,
      tenant: meter.tenant,
      type: meter.eventType,
      start: formatClickHouseInstant(range.start),
      end: formatClickHouseInstant(range.end),
      subjects,
    },
  )
}
