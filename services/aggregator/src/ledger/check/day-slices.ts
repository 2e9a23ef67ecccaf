import {
  belowCut,
  type CheckScope,
  type CheckSources,
  gently,
  inScope,
  scopeParams,
  sliceTimeout,
} from './scope.ts'

/** Events of one type on one day: what usage_events and the copy by cell both keep together. */
export type Day = { readonly tenant: string; readonly type: string; readonly day: string }
export type DaySlice = { readonly days: readonly Day[]; readonly rows: number }

/** What one statement reads, and what its parameters may name. */
const rowsPerSlice = 500_000
const daysPerSlice = 240

/** Every day that either table knows, in slices; days rather than hours, for that is how raw events are ordered. */
export async function* readDaySlices(sources: CheckSources, scope: CheckScope): AsyncGenerator<DaySlice> {
  const cut = belowCut(scope)
  const rows = sources.clickHouse.stream<{ tenant: string; type: string; day: string; events: number }>(
    `SELECT tenant, type, toString(on_day) AS day, toFloat64(sum(events)) AS events FROM (
       SELECT tenant, type, toDate(hour) AS on_day, count() AS events FROM usage_ledger_by_cell
       WHERE ${inScope(scope, 'hour')} AND ${cut.sql} GROUP BY tenant, type, on_day
       UNION ALL
       SELECT tenant, type, toDate(time) AS on_day, count() AS events FROM usage_events
       WHERE ${inScope(scope, 'toStartOfHour(time)')} AND ${cut.sql} GROUP BY tenant, type, on_day
     ) GROUP BY tenant, type, on_day ORDER BY tenant, type, on_day ${gently}`,
    { ...cut.params, ...scopeParams(scope) },
    sliceTimeout,
  )
  let days: Day[] = []
  let held = 0
  for await (const { tenant, type, day, events } of rows) {
    if (days.length === daysPerSlice || (days.length > 0 && held + events > rowsPerSlice)) {
      yield { days, rows: held }
      days = []
      held = 0
    }
    days.push({ tenant, type, day })
    held += events
  }
  if (days.length > 0) yield { days, rows: held }
}

export const dayParams = (days: readonly Day[]) => ({
  tenants: days.map(({ tenant }) => tenant),
  types: days.map(({ type }) => type),
  days: days.map(({ day }) => day),
})

/** A condition on tenant, type and the day that `column` gives. */
export const ofDays = (column: string): string =>
  `(tenant, type, ${column}) IN arrayZip({tenants:Array(String)}, {types:Array(String)}, {days:Array(Date)})`
