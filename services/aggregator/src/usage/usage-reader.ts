import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import { atCut } from '@tidemark/infra/clickhouse/usage-sql.ts'
import { decimal, formatDecimal } from '@tidemark/schemas/decimal.ts'
import { inRanges, rangesBetween } from './cut-range.ts'
import { type Hour, hoursOf, planHours } from './hour-plan.ts'
import { findPass, type PassOfMeter } from './seal-pass.ts'
import type { UsageQuery, UsageRow } from './usage-query.ts'
import { rawPart, sealedPart, type UsagePart, usageStatement, wholeSeconds } from './usage-statement.ts'

/**
 * The usage of a meter as of the query's cut: sealed hours where their seal holds exactly the events below the cut, raw
 * events otherwise. The same as recompute() at any time, whatever has been sealed.
 */
export async function readUsage(clickHouse: ClickHouse, query: UsageQuery): Promise<UsageRow[]> {
  const pass = await findPass(clickHouse, query.meter, query.cut)
  const parts: UsagePart[] = []
  if (pass?.knowsMeter) {
    const [sealed, changed] = await Promise.all([
      readSealedHours(clickHouse, query, pass),
      readChangedHours(clickHouse, query, pass),
    ])
    const stale = new Set([...pass.dirtyHours, ...changed])
    const plan = planHours(query, query.windowStarts, { sealed, stale })
    const rawHours = [...plan.raw, ...(await readFilledHours(clickHouse, query, plan.unknown))]
    if (plan.sealed) parts.push(sealedPart(query, pass.sealVersion, rawHours))
    if (rawHours.length > 0) parts.push(rawPart(query, rawHours))
  } else parts.push(rawPart(query))
  return parts.length === 0 ? [] : sumParts(clickHouse, query, parts)
}

/** The same from raw events alone: what every other way of reading has to agree with. */
export const recompute = (clickHouse: ClickHouse, query: UsageQuery): Promise<UsageRow[]> =>
  sumParts(clickHouse, query, [rawPart(query)])

async function sumParts(
  clickHouse: ClickHouse,
  query: UsageQuery,
  parts: readonly UsagePart[],
): Promise<UsageRow[]> {
  const { sql, params } = usageStatement(query, parts)
  const rows = await clickHouse.query<{
    windowSecond: number
    subject: string
    dimensions: string[]
    eventCount: string
    unreadable: string
    value: string
  }>(sql, params)
  const starts = new Map(query.windowStarts.map((start) => [wholeSeconds(start), start]))
  return rows.map((row) => ({
    windowStart: starts.get(row.windowSecond) ?? query.from,
    subject: row.subject,
    dimensions: row.dimensions,
    value: formatDecimal(decimal(row.value)),
    eventCount: BigInt(row.eventCount),
    unreadable: BigInt(row.unreadable),
  }))
}

const inRange = "hour >= {firstHour:DateTime('UTC')} AND hour <= {lastHour:DateTime('UTC')}"

function rangeParams(query: UsageQuery) {
  const hours = hoursOf(query)
  const { tenant, eventType } = query.meter
  return { tenant, type: eventType, firstHour: hours[0] ?? 0, lastHour: hours.at(-1) ?? 0 }
}

async function readSealedHours(
  clickHouse: ClickHouse,
  query: UsageQuery,
  { sealVersion }: PassOfMeter,
): Promise<Set<Hour>> {
  const rows = await clickHouse.query<{ sealedHour: Hour }>(
    `SELECT DISTINCT toUnixTimestamp(hour) AS sealedHour FROM usage_seals
     WHERE tenant = {tenant:String} AND meter_key = {meter:String} AND meter_version = {version:UInt32}
       AND ${inRange} AND seal_version <= {passVersion:UInt256}`,
    {
      ...rangeParams(query),
      meter: query.meter.key,
      version: query.meter.version,
      passVersion: sealVersion,
    },
  )
  return new Set(rows.map(({ sealedHour }) => sealedHour))
}

/** Hours with events between the pass and the query's cut. */
async function readChangedHours(
  clickHouse: ClickHouse,
  query: UsageQuery,
  pass: PassOfMeter,
): Promise<Hour[]> {
  const ranges = rangesBetween(pass.cut, query.cut)
  if (ranges.length === 0) return []
  const rows = await clickHouse.query<{ changedHour: Hour }>(
    `SELECT DISTINCT toUnixTimestamp(hour) AS changedHour FROM usage_ledger
     WHERE ${inRanges(ranges)} AND verdict IN ('accepted', 'correction')
       AND tenant = {tenant:String} AND type = {type:String} AND ${inRange}`,
    rangeParams(query),
  )
  return rows.map(({ changedHour }) => changedHour)
}

/** Those of the hours that have events, as the ledger's copy by cell says; empty hours cost next to nothing there. */
async function readFilledHours(
  clickHouse: ClickHouse,
  query: UsageQuery,
  hours: readonly Hour[],
): Promise<Hour[]> {
  if (hours.length === 0) return []
  const cut = atCut(query.cut)
  const rows = await clickHouse.query<{ filledHour: Hour }>(
    `SELECT DISTINCT toUnixTimestamp(hour) AS filledHour FROM usage_ledger_by_cell
     WHERE tenant = {tenant:String} AND type = {type:String}
       AND toUnixTimestamp(hour) IN {unknownHours:Array(UInt32)}
       AND verdict IN ('accepted', 'correction') AND ${cut.sql}`,
    { ...rangeParams(query), ...cut.params, unknownHours: hours },
  )
  return rows.map(({ filledHour }) => filledHour)
}
