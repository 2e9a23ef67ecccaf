import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { supersededPlaces } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { Failure } from '@tidemark/infra/process/failure.ts'
import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { parseInstant } from '@tidemark/schemas/instant.ts'
import { type EventRow, eventColumns, showEvent } from './event-rows.ts'
import type { EventsQuestion, EventsRequest } from './events-query.ts'

/** A page is for people and programs that wait for it; longer ones would hold ClickHouse. */
const timeoutMs = 10_000
/** Rows that one page may look at: without a subject all events of the range count. */
const mostRowsRead = 50_000_000

/** One page of a tenant's accepted events. @throws HttpProblem 422 when the range holds too many to look at */
export async function listEvents(
  clickHouse: ClickHouse,
  tenant: string,
  { request, cursorAfter }: EventsQuestion,
) {
  const rows = await readPage(clickHouse, tenant, request)
  const shown = rows.slice(0, request.limit)
  const last = shown.at(-1)
  const hasMore = rows.length > request.limit && last !== undefined
  return { items: shown.map(showEvent), nextCursor: hasMore ? cursorAfter(placeOf(last)) : null }
}

const placeOf = ({ time, log, partition, offset }: EventRow) => ({
  time: parseInstant(time) ?? 0,
  log,
  partition,
  offset: Number(offset),
})

async function readPage(
  clickHouse: ClickHouse,
  tenant: string,
  request: EventsRequest,
): Promise<readonly EventRow[]> {
  const { subject, type, id, after } = request
  const direction = request.order === 'newest' ? 'DESC' : 'ASC'
  const conditions = [
    'tenant = {tenant:String}',
    // Named explicitly: a range of time alone prunes nothing.
    "toDate(time) >= toDate(fromUnixTimestamp64Micro({from:Int64}, 'UTC'))",
    "toDate(time) <= toDate(fromUnixTimestamp64Micro({last:Int64}, 'UTC'))",
    "time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC')",
    "time <= fromUnixTimestamp64Micro({last:Int64}, 'UTC')",
    ...(type === undefined ? [] : ['type = {type:String}']),
    ...(subject === undefined ? [] : ['subject = {subject:String}']),
    ...(id === undefined ? [] : ['id = {id:String}']),
    ...(after === undefined ? [] : [afterPlace(request.order)]),
    // What stands in its place is listed by a time of its own, or nothing is.
    `(log, partition, offset) NOT IN (${supersededPlaces('true', correctedIn(type !== undefined))})`,
  ]
  const sql = `SELECT ${eventColumns} FROM usage_events FINAL WHERE ${conditions.join(' AND ')}
    ORDER BY time ${direction}, log ${direction}, partition ${direction}, offset ${direction}
    LIMIT {rows:UInt32}
    SETTINGS do_not_merge_across_partitions_select_final = 1, max_rows_to_read = ${mostRowsRead}`
  const { from, last } = rangeOf(request)
  const params = {
    tenant,
    type,
    subject,
    id,
    from,
    last,
    rows: request.limit + 1,
    ...(after === undefined ? {} : { ...after, afterTime: after.time }),
  }
  return limited(() => clickHouse.query<EventRow>(sql, given(params), { timeoutMs }))
}

/** Corrections of events in the range, by the hour that these lie in. */
const correctedIn = (ofType: boolean): string =>
  `tenant = {tenant:String} ${ofType ? 'AND type = {type:String}' : ''}
    AND superseded_hour >= toStartOfHour(fromUnixTimestamp64Micro({from:Int64}, 'UTC'))
    AND superseded_hour <= fromUnixTimestamp64Micro({last:Int64}, 'UTC')`

/** A page begins where the one before ended, so that its days alone are read. */
function rangeOf({ from, to, order, after }: EventsRequest): { from: number; last: number } {
  if (after === undefined) return { from, last: to - 1 }
  return order === 'newest'
    ? { from, last: Math.min(after.time, to - 1) }
    : { from: Math.max(after.time, from), last: to - 1 }
}

const afterPlace = (order: 'newest' | 'oldest'): string =>
  `(toUnixTimestamp64Micro(time), log, partition, offset) ${order === 'newest' ? '<' : '>'}
    ({afterTime:Int64}, {log:UInt16}, {partition:UInt16}, {offset:UInt64})`

const given = (params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined))

async function limited<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'clickhouse_too_many_rows')) throw error
    throw new HttpProblem({
      status: 422,
      code: 'range_too_large',
      detail: `More than ${mostRowsRead} events would have to be looked at; name a type and a subject, or a shorter range.`,
    })
  }
}
